import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What a Dockerfile's last stage says of the process. */
export interface ImageProcess {
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
  readonly user: string | null;
}

function jsonAfter(word: string, lines: readonly string[]): string[] {
  const line = lines.find((candidate) => candidate.startsWith(`${word} `)) ?? '';
  return JSON.parse(line.slice(line.indexOf('['))) as string[];
}

/** The text of a Dockerfile's stages, the last one last. */
export function dockerfileStages(service: 'gateway' | 'inference'): string[] {
  const path = fileURLToPath(new URL(`../../${service}/Dockerfile`, import.meta.url));
  return readFileSync(path, 'utf8')
    .split(/^(?=FROM )/m)
    .slice(1);
}

/** Reads the last stage of a service's Dockerfile. */
export function imageProcess(service: 'gateway' | 'inference'): ImageProcess {
  const lines = (dockerfileStages(service).at(-1) ?? '').split('\n');
  const pairs = lines.filter((line) => line.startsWith('ENV ')).flatMap((line) => line.slice(4).split(' '));
  return {
    env: Object.fromEntries(pairs.map((pair) => pair.split('=', 2) as [string, string])),
    command: jsonAfter('CMD', lines),
    healthcheck: jsonAfter('HEALTHCHECK', lines),
    user: lines.find((line) => line.startsWith('USER '))?.slice(5) ?? null,
  };
}
