import type { AppealDecisionKind, Cause, ReasonCode } from '@liandun/contracts';
import type { EndState } from '@liandun/domain';
import type { QuarterFigures } from '@liandun/views';

interface Label {
  labelZh: string;
  labelEn: string;
}

const label = (labelZh: string, labelEn: string): Label => ({ labelZh, labelEn });

/** How a listing ended. */
const STATUSES: Record<EndState, Label> = {
  withdrawn: label('报送方撤回', 'withdrawn by its publisher'),
  overturned: label('复核后推翻', 'overturned on review'),
  repaired: label('信用修复', 'repaired'),
  endedByDecision: label('依官方决定终止', 'ended by an official decision'),
  expired: label('到期', 'expired'),
};

const CAUSES: Record<Cause, Label> = {
  appealUpheld: label('申诉成立', 'the appeal was right'),
  wrongIdentity: label('认错主体', 'it was somebody else'),
  wrongFinding: label('事实认定有误', 'the finding was wrong'),
  cured: label('已改正', 'put right'),
  annulled: label('所依据的决定被撤销', 'the decision was annulled'),
  repaired: label('信用修复', 'credit repair'),
  removed: label('移出名单', 'removed from the register'),
  judgment: label('法院裁判', 'a judgment'),
  expired: label('期限届满', 'its term ran out'),
};

const DECISIONS: Record<AppealDecisionKind, Label> = {
  upheld: label('维持', 'upheld'),
  corrected: label('更正', 'corrected'),
  overturned: label('推翻', 'overturned'),
};

const both = (one: Label | undefined, other: Label | undefined): Partial<Label> => {
  if (!one || !other || one.labelEn === other.labelEn || one.labelZh === other.labelZh) return one ?? {};
  return label(`${one.labelZh}（${other.labelZh}）`, `${one.labelEn} (${other.labelEn})`);
};

/** The figures of a quarter with their names in both languages; a code that the table no longer has goes without. */
export function labelled(
  { listed, ended, appeals, ...more }: QuarterFigures,
  codes: ReadonlyMap<string, Pick<ReasonCode, 'labelZh' | 'labelEn'>>,
): object {
  return {
    ...more,
    listed: listed.map((one) => {
      const known = codes.get(one.code);
      return { ...one, ...(known && label(known.labelZh, known.labelEn)) };
    }),
    ended: ended.map((one) => ({ ...one, ...both(STATUSES[one.status as EndState], CAUSES[one.cause as Cause]) })),
    appeals: {
      ...appeals,
      decided: appeals.decided.map((one) => ({ ...one, ...DECISIONS[one.decision as AppealDecisionKind] })),
    },
  };
}
