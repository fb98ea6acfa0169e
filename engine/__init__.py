"""Whetstone's engine: documents, library, answers, tuning, comparison; no window."""

import socket

__version__ = "0.1.0"

# WORKAROUND: urllib3, which LanceDB and Hugging Face's libraries bring along, opens and binds
# an IPv6 socket when it is imported, to see whether it could
# (https://github.com/urllib3/urllib3/blob/2.5.0/src/urllib3/util/connection.py, _has_ipv6).
# It asks this flag first. Nothing of ours connects anywhere, so the answer is no.
socket.has_ipv6 = False
