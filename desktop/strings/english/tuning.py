"""Tuning: trainings, examples, the wizard, adapters. Jargon has a hint beside it."""

from __future__ import annotations

# Page
NAV_TUNE = "Tune"
TUNE_PAGE = "Tune"
TUNE_PAGE_TEXT = (
    "Teach the model from your own examples. What it learns is kept in a small file beside "
    "the model, an adapter, which you can switch on and off."
)
TUNE_SECTION = "Section of the page"
TUNE_RUNS = "Trainings"
TUNE_DATASETS = "Examples"
TUNE_ADAPTERS = "Adapters"
TUNE_NEW = "New tuning"
TUNE_IMPORT = "Import examples…"
TUNE_EMPTY = "No training yet"
TUNE_EMPTY_TEXT = (
    "Some forty examples of what you ask and what you want to get are enough to begin. The "
    "training runs on this computer, in the background, and goes on when the window is closed."
)
DATASETS_EMPTY = "No examples yet"
DATASETS_EMPTY_TEXT = (
    "Import a table or a JSON file, or take the corrections you made in conversations."
)
ADAPTERS_EMPTY = "No adapter yet"
ADAPTERS_EMPTY_TEXT = "A training makes one. You can also drop an adapter file here."

# Commands
DO_GO_TUNE = "Go to tuning"
DO_TUNE_NEW = "New tuning"
DO_TUNE_IMPORT = "Import examples…"
DO_TUNE_FEEDBACK = "Make examples of corrections in conversations"
DO_TUNE_RUNS = "Show the trainings"
DO_TUNE_DATASETS = "Show the examples to tune with"
DO_TUNE_ADAPTERS = "Show the adapters"
DO_TUNE_PAUSE = "Pause the training"
DO_TUNE_RESUME = "Resume the training"
DO_TUNE_STOP = "Stop the training and keep the best"
DO_ADAPTER_IMPORT = "Import an adapter…"
DROP_ADAPTER = "Let go to check and add the adapter"
DROP_EXAMPLES = "Let go to import these examples"

# Wizard
TUNE_STEPS = "Steps"
TUNE_STEP_DONE = "done"
TUNE_STEP_NOW = "now"
TUNE_STEP_LATER = "to come"
TUNE_STEP_EXAMPLES = "Examples"
TUNE_STEP_MODEL = "Model"
TUNE_STEP_CHECK = "Check"
TUNE_STEP_TRAIN = "Train"
TUNE_STEP_COMPARE = "Compare"
TUNE_STEP_SAVE = "Save"
TUNE_NEXT = "Next"
TUNE_BACK = "Back"
TUNE_START = "Start training"
TUNE_START_ANYWAY = "Train all the same"
TUNE_FINISH = "Finish"
TUNE_CLOSE = "Back to the overview; a training goes on"
TUNE_NAME = "Tuning"
TUNE_EXAMPLES_TITLE = "Choose your examples"
TUNE_EXAMPLES_TEXT = "Each one says what goes in and what should come out."
TUNE_MODEL_TITLE = "Choose the model and the time"
TUNE_MODEL_TEXT = "A few steps on your own examples show what the training will take."
TUNE_CHECK_TITLE = "Check the examples"
TUNE_CHECK_TEXT = "What is wrong in the examples is learnt as well, so look first."
TUNE_TRAIN_TITLE = "Training your model"
TUNE_TRAIN_TEXT = (
    "You can keep using the app, or close it: the training goes on. It pauses when the battery "
    "runs low."
)
TUNE_COMPARE_TITLE = "Compare before and after"
TUNE_COMPARE_TEXT = "On examples that were held out, so nothing was learnt from them."
TUNE_SAVE_TITLE = "Keep what was learnt"
TUNE_SAVE_TEXT = "Give it a name, and say whether answers use it from now on."

# Tasks
TASK = "Kind of task"
TASKS = {
    "answers": "Questions and answers",
    "instruction": "Instructions and style",
    "classification": "Sorting texts by label",
    "entities": "Finding names in texts",
    "fields": "Filling in fields",
}
TASK_HINTS = {
    "answers": "A question goes in, its answer comes out.",
    "instruction": "An instruction goes in, a response in your style comes out.",
    "classification": "A text goes in, one of your labels comes out.",
    "entities": "A text goes in, the names in it come out, each with its kind.",
    "fields": "A text goes in, its values come out as JSON.",
}
TASK_COLUMNS = {
    "answers": ("Question", "Answer"),
    "instruction": ("Instruction", "Response"),
    "classification": ("Text", "Label"),
    "entities": ("Text", "Names in it"),
    "fields": ("Text", "Fields"),
}
TASK_OUTPUT_HINTS = {
    "entities": 'A JSON list such as [{"text": "Oslo", "label": "place"}].',
    "fields": 'A JSON object such as {"date": "3 May", "place": "Oslo"}.',
}
ROLES = {
    "input": "Goes in",
    "output": "Comes out",
    "context": "Passage",
    "system": "Instructions",
    "messages": "Conversation",
    "group": "Belongs together",
    "split": "Side",
}
ROLE_HINTS = {
    "input": "The question, instruction or text.",
    "output": "The answer, response, label or values.",
    "context": "What the answer is to be found in.",
    "system": "What the model is told before everything else.",
    "messages": "A whole conversation; its last answer is learnt.",
    "group": "Rows with the same value stay on one side, such as those of one document.",
    "split": "Says which rows are held out.",
}

# Examples
EXAMPLES = ("example", "examples")
EXAMPLE_ROWS = ("row", "rows")
LABELS = ("label", "labels")
DATASETS = "Datasets"
DATASETS_CHOOSE = "Or choose examples you have already"
DATASET_USE = "Tune with it"
DATASET_RENAME = "Rename these examples"
DATASET_REMOVE = "Remove these examples…"
DATASET_REMOVE_TITLE = "Remove “{name}”?"
DATASET_REMOVE_TEXT = (
    "The imported copy is deleted. Your own file is not touched, and adapters stay."
)
DATASET_TRAIN = "{rows} to learn from"
DATASET_HELDOUT = "{rows} held out"
HELDOUT_HINT = (
    "Held-out examples are never learnt from: they show whether the model got better at what "
    "it has not seen."
)
EXAMPLES_DROP = "Drop a file with examples here"
EXAMPLES_DROP_TEXT = (
    "CSV, TSV, JSON, JSON Lines or CoNLL. The columns are recognised, and you can correct them "
    "before anything is imported."
)
EXAMPLES_CHOOSE = "Choose a file…"
EXAMPLES_DIALOG = "Choose a file with examples"
EXAMPLES_FILTER = (
    "Examples (*.csv *.tsv *.json *.jsonl *.ndjson *.conll *.bio *.txt);;All files (*)"
)
EXAMPLES_FEEDBACK = "Take corrections from conversations"
EXAMPLES_FEEDBACK_HINT = (
    "Answers you corrected become examples; answers you marked as bad wait for the right one."
)
EXAMPLES_NOTHING_NEW = "Nothing new was corrected; these are there already."
EXAMPLES_TOOK_FEEDBACK = "{rows} taken from conversations."
EXAMPLES_OTHERS = "Choose others"
EXAMPLES_SEARCH = "Search the examples"
EXAMPLES_SHOW_ALL = "Show all rows again"
EXAMPLES_TABLE = "Examples"
EXAMPLE_SIDE = "Used for"
SIDE_TRAIN = "Learning"
SIDE_HELDOUT = "Held out"
SIDE_TRAIN_LONG = "Learn from it"
SIDE_HELDOUT_LONG = "Hold it out for testing"
EXAMPLE_ADD = "Add an example"
EXAMPLE_EDIT = "Change the example"
EXAMPLE_REMOVE = "Delete the chosen examples"
EXAMPLE_REMOVE_TITLE = "Delete {count}?"
EXAMPLE_REMOVE_TEXT = "Only the imported copy changes. Your own file is not touched."
EXAMPLE_CONTEXT = "Passage (may be empty)"
EXAMPLE_LABEL = "Choose a label"
EXAMPLE_UNFINISHED = "needs its answer"

# Import
IMPORT_TABLE = "First examples of the file"
IMPORT_LOOKING = "Looking at the file…"
IMPORT_TAKING = "Importing…"
IMPORT_TAKE = "Import"
IMPORT_RECOGNISED = "{rows} in {format}, {heldout} of them held out. Is this right?"
IMPORT_NO_COLUMN = "none"
IMPORT_NO_COLUMNS = "This format says itself what is what."
IMPORT_BROKEN = "{rows} left out: {why}"
IMPORT_BROKEN_ROW = "line {line}: {why}"
IMPORTED = "{name}: {rows} ready."

# Methods and plan
METHODS = {
    "lora": (
        "LoRA",
        "Learns small additions to the model. Best for most tasks; the file stays small.",
    ),
    "prompt": (
        "Prompt tuning",
        "Learns only a few invisible words put before every question. Gentlest, learns least.",
    ),
    "full": (
        "Full fine-tuning",
        "Changes the whole model and writes a new one. Needs far more memory and time.",
    ),
}
TUNE_MODEL = "Model to tune"
TUNE_MINUTES = "I have"
TUNE_MINUTES_SUFFIX = " minutes"
TUNE_MINUTES_FREE = "as long as it takes"
TUNE_MODEL_NAME = "Name of the new model"
PLAN_TITLE = "What it will take"
PLAN_MEASURING = (
    "Measuring on your examples: about 20 seconds, longer the first time with a model…"
)
PLAN_AGAIN = "Measure"
PLAN_TIME = "time"
PLAN_TIME_HINT = "From the start until it can be used, from steps measured on your examples."
PLAN_MEMORY = "memory"
PLAN_MEMORY_HINT = "The most the training will use at once."
PLAN_DISK = "disk"
PLAN_EPOCHS = "epochs and steps"
PLAN_EPOCHS_HINT = "An epoch goes through all examples once; a step learns from a few."
PLAN_EPOCHS_VALUE = "{epochs} · {steps}"
PLAN_LAYERS = "{n} of {all} layers learn"
PLAN_RANK = "rank {rank}"
PLAN_SPEED = "{rate} tokens a second"
PLAN_VALIDATION = "{n} put aside to choose the best state by"
PLAN_TOO_BIG = "This does not fit: it needs {needed} of memory and {there} is free."
PLAN_TOO_LONG = (
    "Even the shortest training takes longer than this. It would end in the middle, with the "
    "best so far."
)
PLAN_LEFT_OUT = "{rows} longer than {tokens} tokens are left out."
PLAN_FITS = "This fits on your computer."

# Check
CHECK_LOOKING = "Looking through the examples…"
CHECK_AGAIN = "Check again"
CHECK_SUMMARY = "{train} to learn from, {heldout} held out"
CHECK_CLEAN = "Nothing was found that would spoil the training."
CHECK_SHOW_ROWS = "Show {rows}"
CHECK_LENGTHS = "How long they are"
CHECK_TOKENS_BY = (
    "{tokens} tokens in all, the longest example {longest}, as {model} counts them."
)
CHECK_TOKENS_ABOUT = "About {tokens} tokens in all, the longest example about {longest}."
CHECK_BAR = "up to {up_to} tokens: {rows}"

# Training
TUNE_CHART = "Loss during the training"
TUNE_CHART_X = "Step"
TUNE_CHART_Y = "Loss (lower is better)"
TUNE_CHART_EMPTY = "The curve begins with the first step."
TUNE_CHART_TRAIN = "Training loss {loss} at step {step}."
TUNE_CHART_HELDOUT = "Held-out loss {loss} at step {step}, from {first}."
TUNE_TRAINING = "Training"
TUNE_HELDOUT = "Held-out"
TUNE_POINT_TRAIN = "Step {step}: training {loss}"
TUNE_POINT_HELDOUT = "Step {step}: held-out {loss}"
FACT_HELDOUT = "held-out loss"
FACT_HELDOUT_HINT = (
    "How surprised the model is by the right answers of examples it does not learn from. "
    "Lower is better."
)
FACT_MEMORY = "memory"
FACT_SPEED = "tokens a second"
FACT_SPEED_HINT = "A token is a word or a piece of one."
FACT_EXAMPLES = "examples"
RUN_STEP = "Step {step} of {steps}"
RUN_EPOCH = "epoch {epoch} of {epochs}"
RUN_STAGES = {
    "waiting": "Waiting to begin",
    "preparing": "Preparing the model and the examples",
    "measuring": "Measuring what it will take",
    "training": "Beginning to train",
    "proving": "Proving that what was learnt is what will run",
    "ended": "Ending",
}
RUN_STATES = {
    "planned": "Waiting to begin",
    "running": "Running",
    "paused": "Paused",
    "interrupted": "Interrupted",
    "done": "Ready",
    "failed": "Failed",
    "stopped": "Ready, stopped early",
}
RUN_TOOK = "Took {time}"
RUN_LOSS = "held-out loss {before} → {after}"
RUN_PAUSE = "Pause"
RUN_RESUME = "Resume"
RUN_STOP = "Stop and keep the best"
RUN_STOP_HINT = "Ends the training now; the best state so far becomes the adapter."
RUN_CANCEL = "Cancel training…"
RUN_CANCEL_TITLE = "Throw “{name}” away?"
RUN_CANCEL_TEXT = "What it has learnt so far is lost. Earlier adapters are kept."
RUN_CANCEL_YES = "Throw it away"
RUN_OPEN = "Open"
RUN_REMOVE = "Remove from the list…"
RUN_REMOVE_TITLE = "Remove “{name}” from the list?"
RUN_REMOVE_TEXT = "Its curve and its report are forgotten. The adapter stays."
RUN_ASKED = {
    "pause": "Pausing after this step…",
    "stop": "Ending; the best so far is proven and kept…",
    "cancel": "Ending…",
}
RUN_ENDED = {
    "early": "It ended early: the held-out loss did not fall any further.",
    "stopped": "You stopped it; the best state so far was kept.",
    "time": "Its time was over; the best state so far was kept.",
}
RUN_WARNINGS = {
    "overfitting": "It began to learn the examples by heart; the best state before was kept.",
    "forgetting": "It answers general questions differently than before.",
}
TUNE_ENDED_READY = "{name} is trained and proven. Compare it, then put it to use."
TUNE_ENDED_MODEL = "{name} is trained. Compare it, then put it to use."
TUNE_ENDED_FAILED = "{name} could not be trained: {why}"
TUNE_ENDED_ALONE = "{name} ended without a word. Resume it and it goes on where it was."

# Compare
FACT_BEFORE = "held-out loss before"
FACT_AFTER = "held-out loss after"
FACT_EXACT = "answered to the letter"
FACT_EXACT_HINT = "Of the held-out examples, those answered exactly as they should be."
FACT_SAME = "same words when run"
FACT_SAME_HINT = (
    "Parity: how often the program that answers picks the same word as the one that trained."
)
PROOF_PROVEN = "Proven: what was trained is what runs."
PROOF_FAILED = "Not proven: it answers differently than it was trained to."
PROOF_NONE = "Not proven here: it was brought along as a file."
COMPARE_WAITING = "Both answer held-out examples…"
COMPARE_MORE = "Compare more"
COMPARE_EXPECTED = "Right: {text}"
COMPARE_BASE = "Before"
COMPARE_TUNED = "Tuned"
COMPARE_RIGHT = "Right"
COMPARE_OTHER = "Not word for word"
COMPARE_NOTHING = "(no answer)"
COMPARE_TALLY = "Of {rows}, right word for word: {base} before, {tuned} tuned"

# Save
SAVE_NAME = "Name"
SAVE_NAME_TEXT = "As it stands in the list of adapters."
SAVE_USE = "Answer with it from now on"
SAVE_USE_TEXT = "For its model, in place of other adapters. You can switch it off any time."
SAVE_KEPT = "It is kept already, and works with {model} only."
SAVE_USE_MODEL = "Answer with this model from now on"
SAVE_USE_MODEL_TEXT = "It is a model of its own, and stands among the models."
SAVE_KEPT_MODEL = "It is kept already. Remove it with the other models if you do not want it."
SAVED = "{name} is kept."
SAVED_IN_USE = "{name} is in use."
ADAPTER_TAKEN = "Another adapter has this name."

# Adapters
ADAPTER_USE = "Answer with it"
ADAPTER_MIX = "Add to the mix"
ADAPTER_MIX_HINT = "Use it beside the adapters that are on for this model."
ADAPTER_MORE = "More for this adapter"
ADAPTER_SCALE = "Strength"
ADAPTER_SCALE_HINT = "100 % is as it was trained; less is closer to the model as it is."
ADAPTER_FACTS = ("Examples", "Held-out loss", "To the letter", "Parity")
ADAPTER_FACT_HINTS = (
    "What it was trained on.",
    FACT_HELDOUT_HINT,
    FACT_EXACT_HINT,
    FACT_SAME_HINT,
)
ADAPTER_STALE = "May be out of date: {why}"
ADAPTER_RENAME = "Rename…"
ADAPTER_RENAME_TITLE = "Rename the adapter"
ADAPTER_REMOVE = "Remove…"
ADAPTER_REMOVE_TITLE = "Remove “{name}”?"
ADAPTER_REMOVE_TEXT = "What was learnt is deleted. The model and the examples stay."
ADAPTER_IMPORT = "Import an adapter…"
ADAPTER_DIALOG = "Choose an adapter"
ADAPTER_FILTER = "Adapters (*.gguf adapter_config.json);;All files (*)"
ADAPTER_CHECKING = "Checking {name}…"
ADAPTER_IMPORTED = "{name} is added; it works with {model}."
ADAPTER_EXPORTING = "Writing {name}…"
ADAPTER_EXPORTED = "Written to {path} ({size})."
ADAPTER_FORMATS = {
    "gguf": "Export as a GGUF adapter…",
    "safetensors": "Export for peft (safetensors)…",
    "ollama": "Export for Ollama…",
    "merged": "Export merged with the model…",
}
