export { canonicalJson } from './canonical-json.js';
export {
  ENTRY_BYTES_MAX,
  EntryTooLargeError,
  encodeEntry,
  entryHead,
  entryMiddle,
  entryTail,
  type Entry,
  type EntryContent,
} from './entry.js';
export { leafHash } from './leaf-hash.js';
