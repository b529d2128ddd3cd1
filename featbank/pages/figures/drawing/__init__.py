"""What figures are drawn with: style, sheets, matrices, colours, words."""
