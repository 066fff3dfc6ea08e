/** The skills of the fake with their versions; four of the vendor's own are there from the start, without files. */
import { ApiError } from '../api-error.ts';
import type { UploadedFile } from '../files/multipart.ts';
import { BoundedMap } from '../storage/bounded-map.ts';
import { idSeries, type SteppingClock } from '../storage/foretold.ts';
import type { SkillUpload } from './skill-upload.ts';

export type StoredVersion = {
  readonly id: string;
  readonly createdAt: string;
  readonly name: string;
  readonly description: string;
  readonly directory: string;
  readonly files: readonly UploadedFile[];
};

export type StoredSkill = {
  readonly id: string;
  readonly displayName: string;
  readonly source: 'custom' | 'anthropic';
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Newest first; may be empty when all were deleted. */
  readonly versions: readonly StoredVersion[];
};

const SKILLS_MAX = 200;
const VERSIONS_MAX = 50;
const BYTES_MAX = 256 * 1024 * 1024;
const VENDOR_SKILLS = ['xlsx', 'pptx', 'docx', 'pdf'];
const VENDOR_VERSION = '20251013';

export class SkillStore {
  readonly #skills = new BoundedMap<StoredSkill>({ countMax: SKILLS_MAX, bytesMax: BYTES_MAX, bytesOf });
  readonly #nextSkillId = idSeries('skill_01');
  readonly #nextVersionId = idSeries('skver_01');
  readonly #clock: SteppingClock;

  constructor(clock: SteppingClock) {
    this.#clock = clock;
    const createdAt = clock.now();
    const description = 'A skill of the vendor';
    for (const id of VENDOR_SKILLS) {
      const version = { id: VENDOR_VERSION, createdAt, name: id, description, directory: id, files: [] };
      const skill = { id, displayName: id, source: 'anthropic', createdAt, updatedAt: createdAt } as const;
      this.#skills.set(id, { ...skill, versions: [version] });
    }
  }

  create(upload: SkillUpload, displayName: string): StoredSkill {
    const version = this.#version(upload);
    const id = this.#nextSkillId();
    const { createdAt } = version;
    return this.#keep({ id, displayName, source: 'custom', createdAt, updatedAt: createdAt, versions: [version] });
  }

  addVersion(skill: StoredSkill, upload: SkillUpload): StoredVersion {
    if (skill.versions.length >= VERSIONS_MAX) throw new ApiError(400, `A skill has at most ${VERSIONS_MAX} versions.`);
    const version = this.#version(upload);
    this.#keep({ ...skill, updatedAt: version.createdAt, versions: [version, ...skill.versions] });
    return version;
  }

  deleteVersion(skill: StoredSkill, version: StoredVersion): void {
    const versions = skill.versions.filter(({ id }) => id !== version.id);
    this.#keep({ ...skill, updatedAt: this.#clock.now(), versions });
  }

  get(id: string): StoredSkill | undefined {
    return this.#skills.get(id);
  }

  delete(id: string): StoredSkill | undefined {
    return this.#skills.delete(id);
  }

  list(): StoredSkill[] {
    return this.#skills.newestFirst();
  }

  /** The version that an answer names for the one a request asked for. */
  versionInUse(id: string, version: string): string {
    return version === 'latest' ? (this.get(id)?.versions[0]?.id ?? VENDOR_VERSION) : version;
  }

  /** Where a container holds the skill, below `/skills/`. */
  directoryOf(id: string): string {
    return this.get(id)?.versions[0]?.directory ?? id;
  }

  /** What is in `/skills/<directory>/…` of a container; undefined for another path. */
  fileText(path: string): string | undefined {
    const name = /^\/skills\/(.+)$/.exec(path)?.[1];
    if (name === undefined) return undefined;
    const files = this.list().flatMap(({ versions }) => versions[0]?.files ?? []);
    const file = files.find(({ filename }) => filename === name);
    return file?.bytes.toString('utf8') ?? `---\nname: ${name.split('/')[0]}\n---\n# A skill\n`;
  }

  #keep(skill: StoredSkill): StoredSkill {
    this.#skills.set(skill.id, skill);
    return skill;
  }

  #version({ name, description, directory, files }: SkillUpload): StoredVersion {
    return { id: this.#nextVersionId(), createdAt: this.#clock.now(), name, description, directory, files };
  }
}

/** The number by which the older dialect calls a version. */
export function versionTimestamp(version: StoredVersion): string {
  return version.id === VENDOR_VERSION ? VENDOR_VERSION : `${Date.parse(version.createdAt)}000`;
}

function bytesOf({ versions }: StoredSkill): number {
  return versions.flatMap(({ files }) => files).reduce((sum, { bytes }) => sum + bytes.length, 0);
}
