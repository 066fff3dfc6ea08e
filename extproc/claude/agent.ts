/** Reads which agent of Claude Code sent a request, from the headers it adds for gateways. */

export type RequestClass = 'main' | 'subagent' | 'workflow' | 'compaction' | 'auxiliary' | 'side_reply' | 'other';

/**
 * The caller's word, null where a header is missing or unreadable. `promptId` is one per prompt of the user, shared by
 * all requests of its tool loop and its sub-agents; `parentAgentId` makes the tree.
 */
export type Agent = {
  promptId: string | null;
  requestClass: RequestClass | null;
  agentId: string | null;
  agentType: string | null;
  parentAgentId: string | null;
};

const requestClasses: readonly RequestClass[] = [
  'main',
  'subagent',
  'workflow',
  'compaction',
  'auxiliary',
  'side_reply',
];
const printable = /^[\x20-\x7e]{1,256}$/;

/** `header` gives a header by its lower-case name. */
export function agentOf(header: (name: string) => string | undefined): Agent {
  const value = (name: string): string | null => {
    const text = header(`x-claude-code-${name}`)?.trim() ?? '';
    return printable.test(text) ? text : null;
  };
  const requestClass = value('request-class');
  return {
    promptId: value('prompt-id'),
    requestClass: requestClass === null ? null : (requestClasses.find((known) => known === requestClass) ?? 'other'),
    agentId: value('agent-id'),
    agentType: value('agent-type'),
    parentAgentId: value('parent-agent-id'),
  };
}
