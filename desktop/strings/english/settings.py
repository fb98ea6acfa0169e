"""The settings."""

from __future__ import annotations

# Settings
SETTINGS_TITLE = "Settings"
SETTINGS_SECTION = "Section of the settings"
SETTINGS_GENERAL = "General"
SETTINGS_LIBRARY = "Library"
SETTINGS_MODEL = "Model that answers"
SETTINGS_MODEL_SECTION = "Model"
SETTINGS_PRIVACY = "Privacy"
SETTINGS_LOOK = "Appearance"
THEME_SYSTEM = "Like the system"
THEME_LIGHT = "Light"
THEME_DARK = "Dark"
SETTINGS_HABITS = "Working with it"
SETTINGS_NOTIFY = "Tell me when long work has ended"
SETTINGS_NOTIFY_TEXT = "Only while another window is in front. Nothing is sent anywhere."
SETTINGS_KEYS = "Keyboard"
SETTINGS_KEYS_TEXT = "Everything can be done with keys. Ctrl+K finds every command."
SETTINGS_SHORTCUTS = "Show the keys"
SETTINGS_ABOUT = "This computer"
SETTINGS_DOCTOR = "Check this computer"
SETTINGS_DOCTOR_RUNNING = "Checking… this measures the fastest way to read your files."
SETTINGS_DOCTOR_TEXT = (
    "Measures which way of reading is fastest here, and checks that every part works."
)
SETTINGS_COPY_REPORT = "Copy report"
SETTINGS_VERSION = "Whetstone {version}"
SETTINGS_CHANGES = "Changes on the disk"
SETTINGS_FOLLOW = "Keep libraries up to date while this window is open"
SETTINGS_FOLLOW_TEXT = (
    "Changed, new and deleted files are noticed within seconds. Switched off, that ends with "
    "the next start, and you look for changes yourself."
)
SETTINGS_SCANS_TITLE = "Scanned pages and pictures"
SETTINGS_SCANS = "Read them by themselves"
SETTINGS_SCANS_TEXT = (
    "A scan holds no text: it has to be read like a picture, a few seconds a page. A file "
    "that would take longer than this is listed with its cost, and you can have it read."
)
SETTINGS_SCANS_NONE = "Never"
SETTINGS_SCANS_UP_TO = "Up to {time} a file"
AN_HOUR = "an hour"
SETTINGS_ANSWERS = "Answers"
SETTINGS_PASSAGES = "Passages for an answer"
SETTINGS_PASSAGES_AUTO = "Automatic"
SETTINGS_PASSAGES_TEXT = "More passages take longer to read; small models do best with few."
SETTINGS_MODEL_TITLE = "Answering"
SETTINGS_MODEL_TEXT = "Used for every question from now on."
SETTINGS_CONTEXT = "How much it reads at once"
SETTINGS_CONTEXT_TEXT = "A larger context needs more memory."
TOKENS = ("token", "tokens")
SETTINGS_MODE_TEXT = (
    "What a new question starts with; beside the question you can choose otherwise."
)
SETTINGS_REFUSE = "Say so when the documents hold no answer"
SETTINGS_REFUSE_TEXT = (
    "Instead of an answer that is probably wrong you read “Not in these documents.” What the "
    "model would have said can still be shown."
)
SETTINGS_GPU = "Models and graphics memory"
SETTINGS_GPU_TEXT = "Add models, and choose how many of their layers go on the GPU."
SETTINGS_MODEL_LINK = "Open the models"
SETTINGS_PRESET_TITLE = "How it answers"
SETTINGS_PRESET = "Preset for new questions"
SETTINGS_PRESET_TEXT = "Instructions that go before every question."
SETTINGS_PRESET_NONE = "None"
SETTINGS_PRESETS = "Presets…"
OFFLINE_TITLE = "Nothing leaves this computer"
OFFLINE_TEXT = (
    "Whetstone opens no network connection: no account, no telemetry, no search for updates. "
    "Reading, searching and answering happen here, in processes of its own."
)
SETTINGS_DATA = "What is kept, and where"
SETTINGS_HOME = (
    "Everything is in this one folder. Your own files stay where they are, and are only read."
)
SETTINGS_COPY_HOME = "Copy path"
SETTINGS_OPEN_HOME = "Open folder"
STORED_LIBRARIES = "Libraries: the text of your files, made searchable"
STORED_CONVERSATIONS = "Questions and answers, and the list of files"
STORED_MODELS = "Models you added"
STORED_SCANS = "Text read from scans"
STORED_STATES = "Work kept to answer faster"
STORED_LOGS = "Logs: what went wrong, for you to read"
STORED_OTHER = "Settings, copies for safety and the rest"
STORED_TOTAL = "Together"
STORED_NONE = "nothing"
SETTINGS_STATES_TITLE = "Work kept to answer faster"
SETTINGS_STATES = "Keep what models computed of passages"
SETTINGS_STATES_TEXT = (
    "A passage is read by the model once; the next answer that needs it begins sooner. What "
    "was used longest ago makes room."
)
SETTINGS_STATES_MEMORY = "In memory only"
SETTINGS_STATES_UP_TO = "Up to {size}"
STATES_USED = "{size} used now"
STATES_USED_NONE = "Nothing is kept now."
STATES_CLEAR = "Clear"
STATES_CLEAR_SAID = "Clear what models computed of passages"
STATES_CLEARED = (
    "What models had computed of passages was deleted. It is computed anew as needed."
)
SETTINGS_INDEXES = "Libraries"
SETTINGS_INDEXES_TEXT = "Deleting forgets what was read. Your own files are not touched."
DELETE_INDEX = "Delete…"
SETTINGS_QUESTIONS = "Questions"
QUESTIONS_KEPT = ("question is kept.", "questions are kept.")
CLEAR_TITLE = "Delete all questions and answers"
CLEAR_TEXT = "With their corrections and ratings. It cannot be undone."
CLEAR_ALL = "Delete all…"
CLEAR_ASK = "Delete all questions?"
CLEAR_ASK_TEXT = (
    "All questions, their answers and your corrections are deleted from this computer. "
    "Libraries and files stay."
)
CLEAR_YES = "Delete all"
CLEARED = "All questions were deleted."
DOCTOR_OK = "Fine"
DOCTOR_NOT_OK = "Needs attention"
DOCTOR_CPU = "{cpu}, {cores} cores"
DOCTOR_MEMORY = "{there} of {all} free"
LABEL_PROCESSOR = "Processor"
LABEL_MEMORY = "Memory"
LABEL_GPU = "Graphics"
LABEL_GPU_NONE = "none used"
LABEL_SYSTEM = "System"
LABEL_EMBEDDER = "Reading speed"
BACKEND_LINE = "{name}: {rate} passages/s, {speedup} times the plain way"
