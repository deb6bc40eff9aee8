/** Names in a message: quoted, the first few of many, and how many there are besides. */
export const listed = (names: readonly string[], most = 20): string => {
  const quoted = names.slice(0, names.length <= most + 1 ? names.length : most).map((name) => `'${name}'`);
  const more = names.length - quoted.length;
  return `${quoted.join(', ')}${more === 0 ? '' : ` and ${more} more`}`;
};

/** The first few of many names as they are, and how many there are besides. */
export const firstFew = (names: readonly string[], most: number): string => {
  const more = names.length - most;
  return `${names.slice(0, most).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};

/** The beginning of a text that a message shows as it was found. */
export const clipped = (text: string, most = 60): string => (text.length > most ? `${text.slice(0, most)}...` : text);
