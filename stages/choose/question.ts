import type { InputArtifact } from '../../ground/artifact.ts';
import type { Room } from '../../ground/memory.ts';
import type { Config } from './index.ts';

/** An input artifact as a message: where each of its files is. */
interface Located extends Pick<InputArtifact, 'artifact'> {
  readonly paths: Readonly<Record<string, string>>;
}

/** What a process is told that tries one engine. */
export interface Question extends Config {
  readonly engine: string;
  readonly inputs: Readonly<Record<string, Located>>;
  readonly seed: number;
  readonly threads: number;
  readonly base: string;
  readonly offline: boolean;
  /** What the run may hold in memory, where that is watched. */
  readonly memory?: Room | undefined;
}

const pathsOf = ({ artifact, path }: InputArtifact): Located['paths'] =>
  Object.fromEntries(Object.keys(artifact.files).map((file) => [file, path(file)]));

export const located = (inputs: Readonly<Record<string, InputArtifact>>): Question['inputs'] =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, { artifact: input.artifact, paths: pathsOf(input) }]),
  );

export const opened = (inputs: Question['inputs']): Readonly<Record<string, InputArtifact>> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, { artifact, paths }]) => [
      name,
      { artifact, path: (file: string) => paths[file] ?? '' },
    ]),
  );
