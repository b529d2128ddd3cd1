"""Pages: results and records in; tables and pictures that people look at out."""
