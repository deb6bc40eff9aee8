/** tokenizer.json as Hugging Face writes it; decant treats it as data and hands it to the tokenizers' library. */
export type TokenizerJson = Readonly<Record<string, unknown>>;
