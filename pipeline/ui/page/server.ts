/** What the server says; its words where it refuses. */
const answered = async <T>(response: Response): Promise<T> => {
  if (!response.ok) throw new Error((await response.text()).trim());
  return (await response.json()) as T;
};

export const read = async <T>(path: string): Promise<T> => answered<T>(await fetch(path));

export const send = async <T>(path: string, value: unknown): Promise<T> =>
  answered<T>(
    await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(value),
    }),
  );

export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
