"""One module a format; `engine.documents.formats` is the table that names them."""
