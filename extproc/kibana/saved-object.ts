/** A line of the file that Kibana imports. */
export type SavedObject = {
  id: string;
  type: keyof typeof typeVersions;
  attributes: Readonly<Record<string, unknown>>;
  references: readonly Reference[];
  coreMigrationVersion: string;
  typeMigrationVersion: string;
};

export type Reference = { name: string; type: SavedObject['type']; id: string };

/**
 * The version of Kibana's model that each object is written in. Kibana brings an older one up to its own and refuses a
 * newer one; without a version it would run its migrations from the start, over shapes that they do not know. So each
 * is the oldest that has all attributes used here: `sampleSize` came with version 1 of the model of `search`.
 */
const typeVersions = { 'index-pattern': '8.0.0', search: '10.1.0', dashboard: '10.1.0' } as const;

const coreVersion = '8.8.0';

export function savedObject(object: Pick<SavedObject, 'id' | 'type' | 'attributes' | 'references'>): SavedObject {
  return { ...object, coreMigrationVersion: coreVersion, typeMigrationVersion: typeVersions[object.type] };
}

/** Newline-delimited JSON, the last line ended too. */
export function toNdjson(objects: readonly SavedObject[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('');
}
