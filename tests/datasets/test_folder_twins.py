"""Images beside masks of themselves in one folder are refused; names that only look so are read."""

import pytest
from made_folders import braced, make_folder

from featbank.datasets import DATASETS, DatasetRequest
from featbank.errors import DatasetError

REFUSED = {
    "deepglobe": ("{0,1,2}_{sat,mask}.png", 3, "0_sat.png"),
    "plain beside _mask": ("{1,2}{,_mask}.png", 2, "1.png"),
    "in classes": ("{a,b}/{1,2}{,_gt}.png", 4, "a/1.png"),
    "in splits": ("{train,test}/{a,b}/1{,_label}.png", 4, "test/a/1.png"),
    "labels of images": ("a/{1,2}_{image,labels}.png", 2, "a/1_image.png"),
    "a mask by its consonants": ("a/{1,2}{,_msk}.tif", 2, "a/1.tif"),
    "Planet's": ("a/{1,2}{,_udm2}.tif", 2, "a/1.tif"),
    "clouds and heights": ("a/1{,_cloud}.tif b/1{,_dem}.tif", 2, "a/1.tif"),
    "previews": ("a/1{.tif,_quicklook.png} b/1{.tif,_thumb.jpg}", 2, "a/1.tif"),
    "in capitals": ("a/{1,2}{_RGB,_SEG}.PNG", 2, "a/1_RGB.PNG"),
    "with hyphens": ("{1,2}{,-annotation}.png", 2, "1.png"),
    "in front": ("{image,mask}_{1,2}.png", 2, "image_1.png"),
    "of another kind": ("1_{img.jpg,mask.png} 2_{img.jpg,mask.png}", 2, "1_img.jpg"),
}


def opened(root, *, needs_labels=True):
    return DATASETS["folder"].open(DatasetRequest(root=root, needs_labels=needs_labels))


@pytest.mark.parametrize("needs_labels", [True, False])
@pytest.mark.parametrize("name", REFUSED)
def test_images_beside_their_masks_are_refused(tmp_path, name, needs_labels):
    pattern, count, example = REFUSED[name]
    make_folder(tmp_path / "d", braced(pattern))
    with pytest.raises(DatasetError) as refusal:
        opened(tmp_path / "d", needs_labels=needs_labels)
    line = str(refusal.value)
    assert f"holds {count} images beside masks or previews of them" in line
    assert f"'{example}' and '" in line
    assert "\n" not in line
    assert "Move files named like" in line


@pytest.mark.parametrize(
    "pattern", ["a/{1,2}_mask.png", "gt/{1,2}.png river/{1,2}.png", "a/{mask,1,2}.png",
                "a/1.png b/1_mask.png", "a/{red,red_labelled,seg}.png"]
)  # fmt: skip
def test_masks_without_images_beside_them_are_samples(tmp_path, pattern):
    make_folder(tmp_path / "d", braced(pattern))
    assert len(opened(tmp_path / "d").samples) > 1
