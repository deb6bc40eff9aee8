/** sha256 in lower-case hexadecimal. */
export type Digest = string & { readonly __brand: 'Digest' };

export const artifactKinds = [
  'dataset',
  'model',
  'predictions',
  'teacher-outputs',
  'rewordings',
  'measurements',
  'profile',
  'choice',
  'costs',
  'folder',
] as const;
export type ArtifactKind = (typeof artifactKinds)[number];

/** A published result: files by relative path. The digest covers kind, paths and contents. */
export interface Artifact {
  readonly kind: ArtifactKind;
  readonly digest: Digest;
  /** Bytes of all files. */
  readonly size: number;
  readonly files: Readonly<Record<string, { readonly digest: Digest; readonly size: number }>>;
}

/** An input artifact whose files were verified against their digests. */
export interface InputArtifact {
  readonly artifact: Artifact;
  /** Absolute path of one of its files. */
  path(file: string): string;
}
