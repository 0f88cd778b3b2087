//! The words that made-up prompts are made of.

/// Common English words, each one token in the vocabularies of most models.
pub(crate) const WORDS: [&str; 256] = [
    "time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school",
    "state", "family", "student", "group", "country", "problem", "hand", "part", "place", "case", "week",
    "company", "system", "program", "question", "work", "number", "night", "point", "home", "water", "room",
    "mother", "area", "money", "story", "fact", "month", "lot", "right", "study", "book", "eye", "job",
    "word", "business", "issue", "side", "kind", "head", "house", "service", "friend", "father", "power",
    "hour", "game", "line", "end", "member", "law", "car", "city", "name", "team", "minute", "idea", "body",
    "back", "parent", "face", "others", "level", "office", "door", "health", "person", "art", "war",
    "history", "party", "result", "change", "morning", "reason", "research", "girl", "guy", "moment", "air",
    "teacher", "force", "food", "land", "green", "table", "street", "paper", "music", "market", "model",
    "bank", "able", "about", "above", "across", "after", "again", "against", "almost", "along", "already",
    "also", "always", "among", "another", "any", "around", "away", "bad", "because", "before", "begin",
    "behind", "believe", "best", "better", "between", "big", "black", "blue", "both", "bring", "build",
    "call", "carry", "cause", "center", "certain", "clear", "close", "cold", "common", "complete",
    "consider", "continue", "control", "cost", "could", "course", "cover", "create", "cross", "cut", "dark",
    "deal", "deep", "develop", "differ", "direct", "down", "draw", "drive", "during", "each", "early",
    "earth", "east", "easy", "eat", "enough", "even", "ever", "every", "example", "fall", "far", "fast",
    "feel", "few", "field", "figure", "fill", "final", "find", "fine", "fire", "first", "fish", "five",
    "follow", "form", "found", "four", "free", "front", "full", "general", "give", "glass", "gold", "good",
    "great", "ground", "grow", "half", "happen", "hard", "hear", "heart", "heat", "heavy", "help", "high",
    "hold", "hope", "horse", "hot", "hundred", "inch", "include", "island", "just", "keep", "king", "know",
    "language", "large", "last", "late", "laugh", "lead", "learn", "leave", "left", "less", "letter",
    "light", "like", "listen", "little", "live", "long", "look", "love", "low", "machine", "make", "many",
    "moon", "move", "near", "need", "never",
];
