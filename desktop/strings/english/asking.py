"""Asking: the question, its scope, the answer, its sources, earlier questions."""

from __future__ import annotations

# Ask
ASK_PLACEHOLDER = "Ask about {library}…"
ASK_PLACEHOLDER_NONE = "Ask a question…"
ASK_HINT = "Enter to ask · Shift+Enter: new line"
ASK_BUTTON = "Ask"
STOP_TIP = "Stop answering (Esc)"
QUESTION_FIELD = "Your question"
LIBRARY_CHOOSER = "Libraries to ask"
WITHOUT_LIBRARY = "Without documents"
SOURCES = "Sources"
SOURCES_EMPTY = "The passages an answer stands on appear here."
SOURCES_NONE_FOUND = "No passage in this library fits the question."
HIDE_SOURCES = "Show or hide the sources"
COPY_ANSWER = "Copy with sources"
COPIED = "Copied."
ASK_AGAIN = "Answer again in other words"
SEARCHING = "Looking through {library}…"
LOADING = "Loading {model}…"
THINKING = "Reading the passages…"
READING_FAILED = "The folder could not be read, so there was nothing to ask."
STOPPED = "Stopped."
REFUSED = "The documents do not seem to answer this."
QUESTION_SAID = "Your question: {text}"
ANSWER_SAID = "Answer"
EMPTY_ASK_TITLE = "What would you like to know?"
EMPTY_ASK_TEXT = "{files} in {library}. Ask in your own words."
EMPTY_ASK_INDEXING = "You can ask already. Answers use what has been read so far."
EMPTY_ASK_NONE = "No library is chosen: the model answers from what it knows, without sources."
EMPTY_ASK_NO_FILES = "This library has no readable files yet."
SOURCE_CARD = "Source {n}: {name}, {place}"
PAGE = "Page {page}"
TOKENS_PER_SECOND = "{rate} tokens/s"
NO_SOURCES_USED = "no sources"
COPY_DETAILS = "Copy details"
LINK_COPIED = "Address copied: {address}. Whetstone opens no web pages."
CITE_TIP = "Show source {n}"
ANSWER_READY = "Answer finished."
ORIGINS_TOGGLE = "Show where the words came from"
ORIGIN_HINT = (
    "Each colour is a source. Point at a word, or press Ctrl+Down for the next sentence."
)
ORIGIN_FROM = "from {source} · {share}"
ORIGIN_LIKE = "found in {source} · {share}"
ORIGIN_OTHERS = "else {sources}"
ORIGIN_UNKNOWN = "where it came from is not known"
ORIGIN_SENTENCE = "Sentence {n}: {origin}."
UNSUPPORTED_TIP = "Not found in the passages that were read"
UNSUPPORTED_LEGEND = "Dotted: not found in the passages that were read."
GUESS_OPEN = "What the model would have said"
GUESS_CLOSE = "Hide what the model would have said"
GUESS_LABEL = "A guess. Your documents do not bear it out."
QUESTION_LOADING = "Opening the question…"
DELETE_QUESTION_TITLE = "Delete this question?"
DELETE_QUESTION_TEXT = "“{title}” and its answers are deleted from this computer."
DELETE = "Delete"

# How passages are read
MODE_CHOOSER = "How to read"
MODES = {
    "auto": ("Automatic", "Whatever suits the model best; the answer says what it was."),
    "token": (
        "Each passage by itself, mixed word by word",
        "Best for small models. Shows where every word came from.",
    ),
    "sequence": (
        "Whole answers compared",
        "One answer from each passage, then the most likely one. Slower.",
    ),
    "joint": (
        "All passages together",
        "The model reads everything at once. Suits larger models.",
    ),
    "none": ("Without documents", "The model answers from what it knows, without sources."),
}
MODE_READ = {
    "token": "Each passage read by itself",
    "sequence": "Whole answers compared, one from each passage",
    "joint": "All passages read together",
    "none": "Answered without documents",
    "whole": "The whole document read, piece by piece",
    "count": "Counted over the whole library",
}
MODE_READ_ONE = "The best passage read"
MODE_WHY = "{mode}: {why}."

# Turns of a conversation
PAGE_INSIDE = "page {page}"
COPY_MARKDOWN = "Copy as Markdown"
COPY_WORDS = "Copy without sources"
EDIT_QUESTION = "Change the question"
EDIT_QUESTION_HINT = "The answer so far is kept as an earlier version."
ASK_AGAIN_CHANGED = "Ask again"
MORE_ACTIONS = "More for this answer"
THUMB_UP = "Good answer"
THUMB_DOWN = "Not right"
VERSION_OLDER = "Earlier answer"
VERSION_NEWER = "Later answer"
VERSION_OF = "{version} of {versions}"
VERSION_EARLIER = "An earlier answer. The conversation goes on from the latest one."
CORRECTION_OPEN = "Write what it should have said…"
CORRECTION_TITLE = "What should it have said?"
CORRECTION_PLACEHOLDER = "The answer as you would have written it"
CORRECTION_KEPT = "Kept on this computer, with the question. Tuning can learn from it later."
CORRECTION_SAVE = "Keep"
CORRECTION_SAID = "It should have said: {text}"
CORRECTION_CHANGE = "Change"
SEARCHED_FOR = "Searched for: {text}"
SEARCH_EXACTLY = "Search exactly what I typed"
REPLACE_TITLE = "Ask again from here?"
REPLACE_TEXT = "{questions} asked after this one will no longer count in this conversation."
REPLACE = "Ask again"

# What is asked
ALL_LIBRARIES = "All libraries"
LIBRARIES_MORE = "{first} + {n} more"
FILTER_OPEN = "Ask only some of the files"
FILTER_TITLE = "Ask only"
FILTER_LOADING = "Looking…"
FILTER_TYPES = "Kinds of files"
FILTER_FOLDERS = "Folders"
FILTER_PATTERN = "File name or pattern"
FILTER_PATTERN_HINT = "*.pdf, contracts/*, Enter to add"
FILTER_CHANGED = "Last changed"
FILTER_THERE = "files from {oldest} to {newest}"
FILTER_SPANS = {
    "any": "Any time",
    "week": "7 days",
    "month": "30 days",
    "year": "A year",
}
FILTER_FROM = "From"
FILTER_TO = "to"
FILTER_DATE = "any day"
FILTER_DATE_HINT = "Write a date like 2026-05-31, or only 2026-05 or 2026."
FILTER_CLEAR = "Clear all"
FILTER_IN_FORCE = "Only these files are asked"
FILTER_ONLY = "Only {what}"
FILTER_LIFT = "Remove the condition: {what}"
FILTER_ONE_FILE = "1 file"
FILTER_SINCE = "since {day}"
FILTER_UNTIL = "until {day}"
FILTER_NOW = "From now on only {what} is asked."
DONE = "Done"
DROPPED_UNKNOWN = "{name} is in no library. Read its folder “{folder}”?"
DROPPED_READ = "Read the folder"
DROPPED_UNREAD = "{name} cannot be asked: {why}"
DROPPED_WAITING = "it has not been read yet."

# Sources
SOURCE_MORE = "More for source {n}"
SOURCE_OPEN = "Show the document"
SOURCE_WHY = "Why this source?"
SOURCE_ONLY_FILE = "Ask only this file"
SOURCE_ONLY_FOLDER = "Ask only this folder"

# Presets
PRESET_CHOOSER = "Preset"
PRESET_NONE = "No preset"
PRESETS_MANAGE = "Manage presets…"
PRESETS_TITLE = "Presets"
PRESETS_TEXT = "A preset tells the model how to answer: for whom, how long, in which tone."
PRESETS_LIST = "Presets"
PRESET_ADD = "New preset"
PRESET_COPY = "Copy this preset"
PRESET_COPY_NAME = "{name} (copy)"
PRESET_DELETE = "Delete this preset"
PRESET_NAME = "Name"
PRESET_NAME_HINT = "For example: short, for the board"
PRESET_SYSTEM = "Instruction"
PRESET_SYSTEM_HINT = "For example: Answer in two sentences, in plain words."
PRESET_BUILTIN = "built in"
PRESET_BUILTIN_NOTE = "This one came with Whetstone. Copy it to make it your own."
PRESET_NOTE = "Small models follow short instructions best."
PRESET_DELETE_TITLE = "Delete this preset?"
PRESET_DELETE_TEXT = "“{name}” is deleted. Conversations that used it keep their answers."

# Why these sources
INSPECT = "Why these sources?"
INSPECT_TITLE = "Why these sources"
INSPECT_RUNNING = "Searching once more, with notes…"
INSPECT_TABLE = "Passages and what each step made of them"
INSPECT_COLUMNS = (
    ("Place", "The order after both lists are put together. Bold ones are the sources shown."),
    ("Passage", "The file, the place in it, and how the passage begins."),
    (
        "Meaning",
        "The place in the list by meaning, and how alike question and passage are: "
        "1 is the same, 0 has nothing in common.",
    ),
    (
        "Words",
        "The place in the list by words, and a score that grows with how many rare words "
        "of the question are in the passage.",
    ),
    (
        "Together",
        "What both lists add up to; the bar shows how much came from meaning and from words.",
    ),
    (
        "Reranked",
        "The place after the cross-encoder read passage and question together, and its score, "
        "which is on a scale of its own.",
    ),
    ("What became of it", "Why the passage is among the sources, or is not."),
)
INSPECT_UNSEEN = "–"
INSPECT_HINT = "{column}: {meaning} S sorts by this column."
INSPECT_LEGEND = "Bar: blue is meaning, yellow is words."
INSPECT_NOTHING = "No passage fits, neither by its words nor by its meaning."
INSPECT_COPY = "Copy as a table"
INSPECT_STEPS = {
    "filter": "Filter",
    "embed": "Understand",
    "dense": "By meaning",
    "keyword": "By words",
    "fuse": "Put together",
    "rerank": "Rerank",
    "choose": "Choose",
}
MILLISECONDS = "{n} ms"

# Questions in the sidebar
TODAY = "Today"
YESTERDAY = "Yesterday"
EARLIER = "Earlier"
SEARCH_QUESTIONS = "Search questions"
NO_QUESTIONS_FOUND = "No question or answer has these words."
RENAME_QUESTION = "Rename"
EXPORT_QUESTION = "Export"
EXPORT_DIALOG = "Save the conversation"
EXPORT_MD = "Markdown"
EXPORT_HTML = "Web page"
EXPORT_JSON = "JSON"
EXPORT_NAME = "Conversation"
EXPORTED = "Saved to {path}."
EXPORT_FAILED = "{path} could not be written: {why} Nothing was changed there."
