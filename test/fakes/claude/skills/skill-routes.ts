/** The Skills API; `anthropic-beta: skills-2025-10-02` selects its older shapes. */
import { ApiError, notFound } from '../api-error.ts';
import { type Call, ok, param } from '../call.ts';
import { writeZip } from '../files/zip.ts';
import { binaryReply, type Reply } from '../reply.ts';
import { pageByCursor } from '../storage/paging.ts';
import { type StoredSkill, type StoredVersion, versionTimestamp } from './skill-store.ts';
import { readSkillUpload } from './skill-upload.ts';

const OLD_SHAPE = 'skills-2025-10-02';

export async function createSkill(call: Call): Promise<Reply> {
  const upload = await readSkillUpload(call);
  const displayName = upload.form.fields.get('display_name') ?? upload.form.fields.get('display_title') ?? upload.name;
  return ok(skillJson(call, call.resources.skills.create(upload, displayName)));
}

export function listSkills(call: Call): Reply {
  const source = call.query.get('source');
  const skills = call.resources.skills.list().filter((skill) => source === null || skill.source === source);
  return ok(page(call, skills, skillJson));
}

export function getSkill(call: Call): Reply {
  return ok(skillJson(call, findSkill(call)));
}

export function deleteSkill(call: Call): Reply {
  const { id } = findOwnSkill(call);
  call.resources.skills.delete(id);
  return ok({ id, type: 'skill_deleted' });
}

export async function createVersion(call: Call): Promise<Reply> {
  const skill = findOwnSkill(call);
  const version = call.resources.skills.addVersion(skill, await readSkillUpload(call));
  return ok(versionJson(call, version, skill));
}

export function listVersions(call: Call): Reply {
  const skill = findSkill(call);
  return ok(page(call, skill.versions, (_, version) => versionJson(call, version, skill)));
}

export function getVersion(call: Call): Reply {
  const skill = findSkill(call);
  return ok(versionJson(call, findVersion(call, skill), skill));
}

export function deleteVersion(call: Call): Reply {
  const skill = findOwnSkill(call);
  const version = findVersion(call, skill);
  call.resources.skills.deleteVersion(skill, version);
  const id = call.betas.has(OLD_SHAPE) ? versionTimestamp(version) : version.id;
  return ok({ id, type: 'skill_version_deleted' });
}

/** The files of one version as a ZIP archive. */
export function downloadVersion(call: Call): Reply {
  const skill = findOwnSkill(call);
  const version = findVersion(call, skill);
  const entries = version.files.map(({ filename, bytes }) => ({ name: filename, bytes }));
  return binaryReply(writeZip(entries), 'application/zip', `${version.directory}.zip`);
}

function findSkill(call: Call): StoredSkill {
  const id = param(call, 'skill_id');
  const skill = call.resources.skills.get(id);
  if (skill === undefined) throw notFound(`skill ${id}`);
  return skill;
}

function findOwnSkill(call: Call): StoredSkill {
  const skill = findSkill(call);
  if (skill.source !== 'custom') throw new ApiError(403, `skill ${skill.id} is not of this workspace`);
  return skill;
}

/** By id, by the timestamp of the older dialect, or `latest`. */
function findVersion(call: Call, skill: StoredSkill): StoredVersion {
  const wanted = param(call, 'version');
  const version =
    wanted === 'latest'
      ? skill.versions[0]
      : skill.versions.find((candidate) => candidate.id === wanted || versionTimestamp(candidate) === wanted);
  if (version === undefined) throw notFound(`version ${wanted} of skill ${skill.id}`);
  return version;
}

function page<Item>(call: Call, items: readonly Item[], toJson: (call: Call, item: Item) => unknown) {
  const { data, next_page } = pageByCursor(items, call.query);
  const shown = { data: data.map((item) => toJson(call, item)), next_page };
  return call.betas.has(OLD_SHAPE) ? { ...shown, has_more: next_page !== null } : shown;
}

function skillJson(call: Call, skill: StoredSkill) {
  const { id, displayName, source, createdAt, updatedAt, versions } = skill;
  const dates = { created_at: createdAt, updated_at: updatedAt };
  const latest = versions[0];
  if (call.betas.has(OLD_SHAPE)) {
    const latest_version = latest === undefined ? null : versionTimestamp(latest);
    return { id, type: 'skill', display_title: displayName, source, latest_version, ...dates };
  }
  const latest_version_id = latest?.id ?? null;
  return { id, type: 'skill', display_name: displayName, source: { type: source }, latest_version_id, ...dates };
}

function versionJson(call: Call, version: StoredVersion, skill: StoredSkill) {
  const { id, createdAt, name, description, directory } = version;
  const shown = { id, type: 'skill_version', skill_id: skill.id, name, description, created_at: createdAt };
  return call.betas.has(OLD_SHAPE) ? { ...shown, directory, version: versionTimestamp(version) } : shown;
}
