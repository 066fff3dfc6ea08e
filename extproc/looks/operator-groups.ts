import { readFileSync } from 'node:fs';

const groupFileMaxChars = 1_000_000;

/**
 * The names of the groups of this process, by the file of groups of the system; one that is not in it (a directory service
 * has it) is named by its number, `gid 1000`. A program that prints them could be another one of that name.
 */
export function operatorGroups(
  groupFile = '/etc/group',
  ids: readonly number[] = process.getgroups?.() ?? [],
): string[] {
  const names = new Map<number, string>();
  for (const line of textOf(groupFile).split('\n')) {
    const [name = '', , id = ''] = line.split(':');
    if (name !== '' && /^\d+$/.test(id)) names.set(Number(id), name);
  }
  return [...new Set(ids)].map((id) => names.get(id) ?? `gid ${id}`);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(0, groupFileMaxChars);
  } catch {
    return '';
  }
}
