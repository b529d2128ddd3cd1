"""A local stand-in for the Hugging Face hub, and small transformers folders to put on it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SHAPE = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "image_size": 56,
    "patch_size": 14,
}
COMMIT = "0123456789012345678901234567890123456789"


def save_model(folder, kind, *, head=False, mean=None, **settings):
    """Save a small random network of a transformers family, and give its folder."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForImageClassification

    config = AutoConfig.for_model(kind, **{**SHAPE, **settings})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = (AutoModelForImageClassification if head else AutoModel).from_config(config)
        with torch.no_grad():
            for value in model.parameters():
                value.add_(torch.randn_like(value) * 0.05)
    model.save_pretrained(folder)
    if mean is not None:
        processor = {"image_mean": mean, "image_std": [0.25, 0.25, 0.25]}
        (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


class Hub(BaseHTTPRequestHandler):
    """Answers what ``snapshot_download`` asks: one model's list of files, and the files."""

    folder = None
    error = ""

    def log_message(self, *args):
        """Quiet."""

    def do_HEAD(self):
        self._answer(with_body=False)

    def do_GET(self):
        self._answer(with_body=True)

    def _answer(self, *, with_body):
        if self.path.startswith("/api/models/"):
            self._list()
        elif self.error:
            self._refuse()
        else:
            self._file(with_body=with_body)

    def _list(self):
        if self.error == "RepoNotFound":
            self._refuse()
            return
        files = sorted(self.folder.iterdir())
        answer = {
            "id": "lab/tiny",
            "sha": COMMIT,
            "siblings": [{"rfilename": path.name} for path in files],
        }
        if "/tree/" in self.path:
            answer = [
                {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": "0" * 40}
                for path in files
            ]
        body = json.dumps(answer).encode()
        self._send(200, body, {"Content-Type": "application/json"}, with_body=True)

    def _refuse(self):
        status = 404 if self.error == "RepoNotFound" else 403
        self._send(status, b"", {"X-Error-Code": self.error}, with_body=True)

    def _file(self, *, with_body):
        path = self.folder / self.path.rsplit("/", 1)[-1]
        if not path.exists():
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, with_body=True)
            return
        body = path.read_bytes()
        etag = hashlib.sha256(body).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}
        self._send(200, body, headers, with_body=with_body)

    def _send(self, status, body, headers, *, with_body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)


@contextlib.contextmanager
def serve_hub(folder, *, error=""):
    """Serve a folder as model ``lab/tiny``; gives the address."""
    handler = type("Handler", (Hub,), {"folder": folder, "error": error})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
