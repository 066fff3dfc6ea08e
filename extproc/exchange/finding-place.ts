/** Where in the content of a message something is found, in the words of policies. */
import type { FindingPlace } from '../masking/finding.ts';

const fileTypes: ReadonlySet<unknown> = new Set(['document', 'image', 'container_upload']);

/** What tools answer and what files hold comes from elsewhere than from a person, though it stands in a message. */
export function placeOfBlock(block: unknown): FindingPlace {
  const type = typeof block === 'object' && block !== null && 'type' in block ? block.type : null;
  if (fileTypes.has(type)) return 'file';
  return typeof type === 'string' && type.endsWith('tool_result') ? 'tool_result' : 'messages';
}
