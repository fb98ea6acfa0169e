"""Control words of RTF as tables: character sets, characters, and groups that hold no text."""

from __future__ import annotations

CHARSETS = {
    0: "cp1252",
    77: "mac_roman",
    78: "cp932",
    79: "cp950",
    80: "cp949",
    81: "mac_arabic",
    83: "mac_greek",
    84: "mac_cyrillic",
    85: "cp936",
    86: "mac_romanian",
    88: "cp874",
    89: "mac_latin2",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "cp936",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    254: "cp437",
    255: "cp850",
}
"""\\fcharset to a Python codec; 1 (default) and 2 (symbols) follow the document's own."""

SPECIAL = {
    "line": "\n",
    "softline": "\n",
    "column": "\n",
    "tab": "\t",
    "emdash": "—",
    "endash": "–",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
    "bullet": "•",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "zwj": "\u200d",
    "zwnj": "\u200c",
    "ltrmark": "",
    "rtlmark": "",
}

SKIPPED = frozenset(
    """aftncn aftnsep aftnsepc atnauthor atndate atnicn atnid atnparent atnref atntime
    atrfend atrfstart author background bkmkend bkmkstart blipuid bliptag buptim category
    colorschememapping colortbl comment company creatim datafield datastore defchp defpap do
    doccomm docvar dptxbxtext ebcend ebcstart factoidname falt filetbl fldinst fldtype fname
    fontemb fontfile footer footerf footerl footerr formfield ftncn ftnsep ftnsepc g generator
    gridtbl header headerf headerl headerr hl hlfr hlinkbase hlloc hlsrc hsv htmltag keycode
    keywords latentstyles lchars levelnumbers leveltext lfolevel linkval list listlevel listname
    listoverride listoverridetable listpicture liststylename listtable lsdlockedexcept manager
    mailmerge mhtmltag mmathPr nesttableprops nextfile nonesttables nonshppict objalias objclass
    objdata object objname objsect objtime oldcprops oldpprops oldsprops oldtprops oleclsid
    operator panose password passwordhash pgp pgptbl picprop pict pn pnseclvl pntxta pntxtb
    printim private propname protend protstart protusertbl pxe revtbl revtim rsidtbl rxe shp
    shpgrp shpinst shppict shprslt sn sp staticval subject sv svb tc template themedata txe
    upr userprops wgrffmtfilter windowcaption writereservation writereservhash xe xform
    xmlattrname xmlattrvalue xmlclose xmlname xmlnstbl xmlopen annotation""".split()  # noqa: SIM905
)
"""Destinations without text of the document."""
