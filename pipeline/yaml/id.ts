export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
export const ID_WORDS = 'letters, digits, ".", "_" and "-", starting with a letter or digit';
