import { reasonCodes, type Notice, type SubjectKind } from '@liandun/contracts';
import { LiandunError } from './errors.js';

export interface AutoCloseSettings {
  /** Reason codes on which the platform's own policy closes without a person. */
  codes: readonly string[];
  /** Subjects to which that applies; no others than organizations may be named. */
  kinds?: readonly SubjectKind[];
}

const refused = (what: string): LiandunError =>
  new LiandunError(
    'AUTO_CLOSE_REFUSED',
    `${what} (rule P01): a person decides there. 此项不得自动关店，应由人工决定（规则 P01）。`,
  );

/**
 * A platform's own policy of closing by itself (rule P01): a notice never orders it (反垄断法 第17条), and a platform may switch it
 * on only where the code allows it and for organizations (个人信息保护法 第24条). What it gives tells of one notice whether the
 * policy closes: also the binding official decision must be attached, which `autoClosable` says, and the match be exact.
 * A disposition of what it closed says so with `automated: true`; the ledger refuses that anywhere else (rule P08).
 * Throws AUTO_CLOSE_REFUSED when it is switched on for any other code or kind.
 */
export function autoClosing({ codes, kinds = ['organization'] }: AutoCloseSettings): (notice: Notice) => boolean {
  for (const kind of kinds)
    if (kind !== 'organization') throw refused(`Closing by itself can't be switched on for ${kind}`);
  const table = reasonCodes().codes;
  for (const code of codes)
    if (table.get(code)?.autoClosable !== true) throw refused(`Closing by itself can't be switched on for ${code}`);
  const chosen = new Set(codes);
  const whose = new Set<string>(kinds);
  return ({ action, autoClosable, reason, entity, match }) =>
    action === 'close' && autoClosable && chosen.has(reason.code) && whose.has(entity.kind) && match.grade === 'exact';
}
