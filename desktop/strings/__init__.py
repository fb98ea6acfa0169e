"""Every word the window shows, in one place: plain words, sentence case.

`english` holds the sentences, `figures` turns numbers into words, `names` makes untrusted
text fit to show.
"""
