import { describe, expect, test } from '@jest/globals';
import { makeUscc } from '@liandun/contracts';
import type { Features } from './features.js';
import type { Node, PairContext } from './types.js';
import { whyApart, type EntitiesApart } from './why-apart.js';
import { zhMatcher } from './zh.js';

const node = (recordId: string, identity: object): Node<Features> => ({
  id: recordId,
  features: zhMatcher.features({ recordId, identity: { kind: 'organization', ...identity } }),
});
const alone: PairContext = { holders: () => 2 };
const why = (one: object[], other: object[], context = alone, different = false): EntitiesApart =>
  whyApart(
    zhMatcher,
    one.map((identity, n) => node(`a${n}`, identity)),
    other.map((identity, n) => node(`b${n}`, identity)),
    context,
    different,
  );
const rules = ({ reasons }: EntitiesApart): string[] => reasons.map(({ rule }) => rule);

const [TEA, PLANT] = ['望江亭茶庄', '样例省青禾重型机械厂'];
const [PHONE, OTHER_PHONE] = ['13958017436', '13958017450'];
const [USCC, OTHER_USCC] = [makeUscc('990101', 1), makeUscc('990101', 2)];

describe('why two entities are not one', () => {
  test.each<[string, EntitiesApart, string, string[]]>([
    ['nothing is shared', why([{ name: TEA }], [{ name: PLANT }]), 'apart', ['noSharedKey']],
    [
      'a phone is shared by too many',
      why([{ name: TEA, phones: [PHONE] }], [{ name: PLANT, phones: [PHONE] }], { holders: () => 12 }),
      'apart',
      ['genericKey'],
    ],
    [
      'a phone is too little',
      why([{ name: TEA, phones: [PHONE] }], [{ name: PLANT, phones: [PHONE] }]),
      'apart',
      ['belowBand'],
    ],
    [
      'codes contradict, in records that share nothing',
      why([{ name: TEA, uscc: USCC }], [{ name: PLANT, uscc: OTHER_USCC }]),
      'apart',
      ['conflict', 'noSharedKey'],
    ],
    [
      'codes of further records contradict, though a pair without one would link',
      why(
        [{ name: PLANT, phones: [PHONE] }, { name: PLANT, uscc: USCC }],
        [{ name: PLANT, phones: [PHONE, OTHER_PHONE] }, { name: PLANT, uscc: OTHER_USCC }],
      ), // prettier-ignore
      'apart',
      ['conflict'],
    ],
    [
      'a person decided it, against an equal code',
      why([{ name: TEA, uscc: USCC }], [{ name: TEA, uscc: USCC }], alone, true),
      'apart',
      ['decidedDifferent'],
    ],
    [
      'a person has to look',
      why([{ name: TEA, uscc: USCC }], [{ name: PLANT, uscc: USCC }]),
      'review',
      ['identifierNameDiffers'],
    ],
    [
      'they have not been judged again',
      why([{ name: TEA, uscc: USCC }], [{ name: TEA, uscc: USCC }]),
      'link',
      ['notJudgedYet'],
    ],
  ])('%s', (_, answer, outcome, expected) => {
    expect([answer.outcome, rules(answer)]).toEqual([outcome, expected]);
    for (const { en, zh } of answer.reasons) expect([en, zh]).toEqual([expect.stringMatching(/./), expect.stringMatching(/\p{Script=Han}/u)]); // prettier-ignore
  });

  test('the pair that decides comes first, then the nearest', () => {
    const near = { name: PLANT, phones: [PHONE] };
    const { pairs } = why([near, { name: TEA, uscc: USCC }], [near, { name: TEA, uscc: OTHER_USCC }]);
    expect(pairs[0]).toMatchObject({ a: 'a1', b: 'b1', conflict: 'uscc' });
    expect(pairs[1]).toMatchObject({ a: 'a0', b: 'b0' });
    expect(pairs).toHaveLength(4);
  });

  test('in whatever order the records come', () => {
    const [x, y, z] = [
      { name: TEA, phones: [PHONE] },
      { name: TEA, uscc: USCC },
      { name: PLANT, phones: [PHONE] },
    ];
    const nodes = [x, y].map((identity, n) => node(`a${n}`, identity));
    const answer = whyApart(zhMatcher, nodes, [node('b', z)], alone);
    expect(whyApart(zhMatcher, nodes.toReversed(), [node('b', z)], alone)).toEqual(answer);
  });
});
