#!/usr/bin/env python3
"""Makes a small tokenizer for load generators that insist on one, without any model hub.

Every word between white space is one token, which is also how the truth server counts. The
words are those of the text that genai-bench takes its prompts from. Used by
scripts/bench-peers.sh.
"""

import sys
from importlib.resources import files

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import PreTrainedTokenizerFast

TEMPLATE = "{% for message in messages %}{{ message['content'] }} {% endfor %}"


def main():
    text = files("genai_bench").joinpath("data/sonnet.txt").read_text(encoding="utf-8")
    words = ["<unk>", "<s>", "</s>", *sorted(set(text.split()))]
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        chat_template=TEMPLATE,
        model_max_length=1 << 20,
    ).save_pretrained(sys.argv[1])


main()
