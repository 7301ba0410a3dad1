import { describe, expect, test } from '@jest/globals';
import { MATCH_GRADES, NOTICE_ACTIONS, reasonCodes, SUBJECT_KINDS, type Notice } from '@liandun/contracts';
import { autoClosing } from './auto-close.js';

const codes = [...reasonCodes().codes.values()];
const allowed = codes.filter(({ autoClosable }) => autoClosable).map(({ code }) => code);

const outcome = (settings: Parameters<typeof autoClosing>[0]): string => {
  try {
    autoClosing(settings);
    return 'on';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('P01: closing by itself', () => {
  test('P01: over all codes and kinds it can be switched on for the closable codes and organizations, and refused for any other', () => {
    expect(allowed).toEqual(['A03', 'A11', 'C02', 'C10', 'G01', 'G03']);
    for (const { code } of codes)
      for (const kind of SUBJECT_KINDS) {
        const may = allowed.includes(code) && kind === 'organization';
        expect([code, kind, outcome({ codes: [code], kinds: [kind] })]).toEqual([
          code,
          kind,
          may ? 'on' : 'AUTO_CLOSE_REFUSED',
        ]);
      }
    expect(outcome({ codes: [...allowed, 'E01'] })).toBe('AUTO_CLOSE_REFUSED');
    expect(outcome({ codes: ['Q99'] })).toBe('AUTO_CLOSE_REFUSED');
    expect(() => autoClosing({ codes: ['E01'] })).toThrow(/E01.*人工/);
  });

  test('P01: over all codes, kinds, actions and grades the policy closes only on close, official, an organization, exact', () => {
    const closes = autoClosing({ codes: allowed });
    const found = codes.flatMap(({ code }) =>
      [...SUBJECT_KINDS].flatMap((kind) =>
        NOTICE_ACTIONS.flatMap((action) =>
          MATCH_GRADES.flatMap((grade) =>
            [true, false].flatMap((autoClosable) => {
              const notice = { action, autoClosable, reason: { code }, entity: { kind }, match: { grade } };
              return closes(notice as unknown as Notice) ? [[code, kind, action, grade, autoClosable]] : [];
            }),
          ),
        ),
      ),
    );
    expect(found).toEqual(allowed.map((code) => [code, 'organization', 'close', 'exact', true]));
  });

  test('P01: a platform that switched nothing on closes nothing by itself', () => {
    const notice = { action: 'close', autoClosable: true, reason: { code: 'G01' } };
    expect(autoClosing({ codes: [] })({ ...notice, entity: {}, match: {} } as unknown as Notice)).toBe(false);
  });
});
