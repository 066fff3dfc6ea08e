/** Finds the skills that an exchange uses: those of the API's containers, and those of Claude Code. */
import { isJsonObject, type JsonObject, type JsonValue, objectsIn } from './json.ts';
import type { MessagesRequest, Turn } from './request.ts';

/**
 * Where a skill shows: in `container.skills` of request or answer, in a call of Claude Code's `Skill` tool, in a
 * command that a user typed, in the text of a SKILL.md that comes with a tool's result. `version` is empty but for
 * containers.
 */
export type SkillUse = {
  name: string;
  version: string;
  source: 'container' | 'skill_tool' | 'command' | 'skill_text';
};

const skillsMax = 64;
const listedMax = 512;
const nameMaxChars = 256;

/**
 * Each name and source once, at most 64. `newTurns` are the turns that no earlier exchange has shown: history that a
 * chat resends would count a use again. Of a container's versions the one that the answer names counts (`latest` is
 * resolved there).
 */
export function skillsUsed(exchange: {
  request: MessagesRequest | null;
  newTurns: readonly Turn[];
  message: JsonObject | null;
}): SkillUse[] {
  const { request, newTurns, message } = exchange;
  const uses = new Uses();
  for (const { id, version } of containerSkills(message)) uses.add(id, version, 'container');
  for (const { id, version } of request?.skills ?? []) uses.add(id, version, 'container');
  for (const turn of newTurns) if (turn.role === 'user') addTurn(uses, turn.content);
  for (const block of objectsIn(message?.content)) {
    if (block.type !== 'tool_use' || block.name !== 'Skill' || !isJsonObject(block.input)) continue;
    if (typeof block.input.skill === 'string') uses.add(block.input.skill, '', 'skill_tool');
  }
  return uses.all();
}

const listingHeading = 'The following skills are available for use with the Skill tool:';
const listedSkill = /^- (.+?)(?:: |:?$)/;

/** Names of the skills that Claude Code offers to the model, each once, at most 512: an offer is no use. */
export function skillListing(turns: readonly Turn[]): string[] {
  const names = new Set<string>();
  for (const { content } of turns) {
    for (const text of textsIn(content)) {
      const heading = text.indexOf(listingHeading);
      if (heading !== -1) addListed(names, text, heading + listingHeading.length);
    }
  }
  return [...names];
}

/** A description may go on in lines of its own; a blank line behind the first skill ends the list. */
function addListed(names: Set<string>, text: string, from: number): void {
  let begun = false;
  for (let at = from; at < text.length && names.size < listedMax; ) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end === -1 ? text.length : end).trim();
    at = end === -1 ? text.length : end + 1;
    if (line === '' && begun) return;
    const name = listedSkill.exec(line.slice(0, 2 * nameMaxChars))?.[1];
    if (name === undefined) continue;
    begun = true;
    names.add(capped(name));
  }
}

class Uses {
  readonly #uses = new Map<string, SkillUse>();

  add(name: string, version: string, source: SkillUse['source']): void {
    const key = `${source} ${capped(name)}`;
    if (name === '' || this.#uses.size >= skillsMax || this.#uses.has(key)) return;
    this.#uses.set(key, { name: capped(name), version: capped(version), source });
  }

  all(): SkillUse[] {
    return [...this.#uses.values()];
  }
}

function containerSkills(message: JsonObject | null): { id: string; version: string }[] {
  const container = isJsonObject(message?.container) ? message.container : {};
  return objectsIn(container.skills).flatMap(({ skill_id: id, version }) =>
    typeof id === 'string' ? [{ id, version: typeof version === 'string' ? version : '' }] : [],
  );
}

/** A block that is a typed command begins with one of its marks; elsewhere they are only text about commands. */
const commandBlock = /^\s*<command-(?:message|name)>/;
const commandName = /<command-name>\/?([^<\n]{1,256})<\/command-name>/;
/** What Claude Code answered by itself (`/clear`): no skill ran. */
const localOutput = /^\s*<local-command-std(?:out|err)>/;
const skillText = /^Base directory for this skill: ([^\r\n]{1,4096})/;

function addTurn(uses: Uses, content: JsonValue): void {
  const texts = textsIn(content);
  const hasResult = objectsIn(content).some(({ type }) => type === 'tool_result');
  let hasCommand = false;
  for (const [at, text] of texts.entries()) {
    if (commandBlock.test(text) && !localOutput.test(texts[at + 1] ?? '')) {
      const name = commandName.exec(text.slice(0, 2048))?.[1]?.trim() ?? '';
      uses.add(name, '', 'command');
      hasCommand ||= name !== '';
    }
    if (!hasResult && !hasCommand) continue;
    const path = skillText.exec(text)?.[1];
    if (path !== undefined) uses.add(lastSegment(path), '', 'skill_text');
  }
}

/** Of a path of either kind of system. */
function lastSegment(path: string): string {
  return (
    path
      .split(/[/\\]/)
      .findLast((segment) => segment.trim() !== '')
      ?.trim() ?? ''
  );
}

function capped(name: string): string {
  return name.slice(0, nameMaxChars).toWellFormed();
}

function textsIn(content: JsonValue): string[] {
  if (typeof content === 'string') return [content];
  return objectsIn(content).flatMap(({ type, text }) => (type === 'text' && typeof text === 'string' ? [text] : []));
}
