"""Small random models with real tokenizers, saved as transformers does, so that the true loading code reads them."""

import re
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .contract import COLOURS

SENTENCES = [
    "This text is about red roses, green meadows and the blue sea.",
    "Decide which of the categories the text belongs to: world news, world sports or business.",
    "Categories are named, the text is read, and the answer is the name of one category and nothing else.",
    "Stocks fell on Wednesday after the committee said that prices rose again.",
    "The colour of grass, number seven, a cloudless day, the sky and a refund for the card.",
] * 4

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
# Larger than usual, so that a random model has opinions and a wrong input changes them.
WIDE = {"initializer_range": 0.3}

# Every category of the contract, so that a classifier has a label for each.
LABELS = [
    *(category.name for category in COLOURS),
    *(f"number {i}" for i in range(200)),
    *('say "red"', "it's\ngreen", "{blue}", "100 %", "\\n", '"}],'),
]


def wordpiece(folder: Path, *, max_length: int = 64) -> int:
    """Save a tokenizer as BERT's and return the size of its vocabulary."""
    import tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    # Not trained: the trainer breaks ties by chance. Longer words are spelled out.
    words = sorted({word for word in re.findall(r"\w+", " ".join(SENTENCES).lower()) if 1 < len(word) <= 5})
    characters = sorted(string.ascii_lowercase + string.digits + string.punctuation)
    pieces = [*special, *characters, *(f"##{one}" for one in characters), *words]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.BertNormalizer()
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.decoder = tokenizers.decoders.WordPiece()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad", "unk", "cls", "sep", "mask"), special, strict=True))
    PreTrainedTokenizerFast(
        tokenizer_object=made,
        model_max_length=max_length,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **{f"{kind}_token": token for kind, token in names.items()},
    ).save_pretrained(folder)
    return made.get_vocab_size()


def byte_pairs(folder: Path, *, chat_template: str | None = None, special: Sequence[str] = ()) -> int:
    """Save a tokenizer as GPT-2's, a space being part of the word after it, and return the size of its vocabulary."""
    import tokenizers
    from tokenizers import AddedToken
    from transformers import PreTrainedTokenizerFast

    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    made.train_from_iterator(
        SENTENCES,
        tokenizers.trainers.BpeTrainer(
            vocab_size=500,
            special_tokens=["<|im_start|>", "<|im_end|>", *special],
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    # RoBERTa's mask takes the space before it.
    masks = {"mask_token": AddedToken("<mask>", lstrip=True, special=True)} if "<mask>" in special else {}
    saved = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|im_end|>", unk_token="<|im_end|>", **masks
    )
    saved.chat_template = chat_template
    saved.save_pretrained(folder)
    return made.get_vocab_size()


def bert(folder: Path, head: str, **config: Any) -> Path:
    """Save a BERT with this head, such as ForMaskedLM."""
    import transformers

    made = transformers.BertConfig(vocab_size=wordpiece(folder), max_position_embeddings=64, **SIZES, **WIDE, **config)
    _save(getattr(transformers, f"Bert{head}"), made, folder)
    return folder


def roberta(folder: Path) -> Path:
    """Save a masked RoBERTa: byte pairs, nothing put around a text, positions that begin after the padding's id."""
    import transformers

    size = byte_pairs(folder, special=["<mask>"])
    made = transformers.RobertaConfig(vocab_size=size, max_position_embeddings=66, pad_token_id=1, **SIZES, **WIDE)
    _save(transformers.RobertaForMaskedLM, made, folder)
    return folder


def causal(folder: Path, kind: str = "Llama", *, chat_template: str | None = CHAT_TEMPLATE) -> Path:
    """Save a causal model: Llama, GPT2 (learned positions) or Gemma3 (a sliding window in all layers but one)."""
    import transformers

    size, longest = byte_pairs(folder, chat_template=chat_template), 4096
    ends = {"bos_token_id": None, "eos_token_id": 1, "pad_token_id": 1}
    if kind == "GPT2":
        made = transformers.GPT2Config(
            vocab_size=size, n_embd=32, n_layer=2, n_head=2, n_positions=longest, **WIDE, **ends
        )
        _save(transformers.GPT2LMHeadModel, made, folder)
        return folder
    more: dict[str, Any] = {"vocab_size": size, "max_position_embeddings": longest, "num_key_value_heads": 1, **ends}
    if kind == "Gemma3":
        more |= {"sliding_window": 16, "head_dim": 16, "layer_types": ["sliding_attention", "full_attention"]}
        _save(transformers.Gemma3ForCausalLM, transformers.Gemma3TextConfig(**SIZES, **WIDE, **more), folder)
    else:
        _save(transformers.LlamaForCausalLM, transformers.LlamaConfig(**SIZES, **WIDE, **more), folder)
    return folder


def _save(module: Any, config: Any, folder: Path) -> None:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(7)
        module(config).save_pretrained(folder)
