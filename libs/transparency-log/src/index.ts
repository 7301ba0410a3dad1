export { canonicalJson } from './canonical-json.js';
export {
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  type Checkpoint,
  type OpenedCheckpoint,
  type TrustedKeys,
} from './checkpoint.js';
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
export { TransparencyLogError, type TransparencyLogErrorCode } from './errors.js';
export { leafHash } from './leaf-hash.js';
export { cosign } from './note/cosignature.js';
export {
  formatVerifierKey,
  parseSignerKey,
  parseVerifierKey,
  signerKeyFromJwk,
  type KeyUse,
  type SignerKey,
  type VerifierKey,
} from './note/key.js';
export { formatSignatureLine, parseSignatureLines, type NoteSignature } from './note/signature-line.js';
export {
  formatNote,
  parseNote,
  signNote,
  verifyNote,
  type SignedNote,
  type VerifiedSignature,
} from './note/signed-note.js';
export { isQuorum, parsePolicy, requireQuorum, type Quorum, type TrustPolicy } from './policy.js';
export { formatProof, parseProof, verifyProof, type LogProof } from './proof.js';
export { encodeBundle, parseBundle } from './tiles/entry-bundle.js';
export { edgeFrom, edgeRoot, edgeTiles, EMPTY_EDGE, growEdge, type FilledTile, type TreeEdge } from './tiles/growth.js';
export { tileNodes, type ReadTiles } from './tiles/tile-nodes.js';
export {
  bundlePath,
  parseTilePath,
  TILE_WIDTH,
  tilePath,
  tilesBetween,
  tileWidth,
  type Bundle,
  type Tile,
} from './tiles/tile.js';
export { verifyLog, type LogSource, type ReadBundle } from './tiles/verify-log.js';
export { EMPTY_ROOT } from './tree/node-hash.js';
export type { Node } from './tree/nodes.js';
export { consistencyProof, inclusionProof, treeRoot, type ReadNodes } from './tree/proofs.js';
export { verifyConsistency, verifyInclusion, type ConsistencyClaim, type InclusionClaim } from './tree/verify.js';
export {
  formatAddCheckpoint,
  formatConflict,
  parseAddCheckpoint,
  parseConflict,
  type AddCheckpoint,
} from './witness/add-checkpoint.js';
export { decideCosign, type CosignDecision, type WitnessedLog } from './witness/decide.js';
