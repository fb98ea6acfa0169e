"""The sentences of the window, one module a part of it, read as `english.NAME`."""

# ruff: noqa: F403

from desktop.strings.english.asking import *
from desktop.strings.english.frame import *
from desktop.strings.english.library import *
from desktop.strings.english.reranking import *
from desktop.strings.english.settings import *
from desktop.strings.english.tuning import *
