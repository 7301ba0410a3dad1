import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareCompanyNames, splitCompanyName } from './company-name.js';
import { lookAlike, pinyinOf, soundAlike } from './han.js';
import { nameDistance } from './name-distance.js';
import { comparePersonNames, splitPersonName } from './person-name.js';
import { foldText, isPlaceholder } from './text.js';

describe('text', () => {
  test.each([
    ['杭州云溪（贸易）有限公司', '杭州云溪(贸易)有限公司'],
    ['Ｙｕｎｘｉ　Ｃｏ．', 'yunxi co.'],
    ['杭州 雲溪 貿易', '杭州云溪贸易'],
    ['云\u200b溪\ufeff', '云溪'],
    ['【云溪】', '(云溪)'],
    ['云溪——西湖店', '云溪--西湖店'],
  ])('%j folds to %j', (text, folded) => expect(foldText(text)).toBe(folded));

  test('folding twice is folding once', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), (text) =>
        expect(foldText(foldText(text))).toBe(foldText(text)),
      ),
      { numRuns: 500 },
    ));

  test.each(['无', '暂无', '测试', '测试123', 'N/A', 'null', '--', '0000', 'XXX', '同上'])('%j names nobody', (text) =>
    expect(isPlaceholder(text)).toBe(true),
  );
  test.each(['云溪', '无锡云溪贸易有限公司', '测绘云溪'])('%j names somebody', (text) =>
    expect(isPlaceholder(text)).toBe(false),
  );
});

describe('firms’ names', () => {
  test.each([
    ['杭州云溪贸易有限公司', '330100', '云溪', '贸易', 'limited', undefined],
    ['杭州市余杭区云溪贸易有限责任公司', '330110', '云溪', '贸易', 'limited', undefined],
    ['云溪贸易（杭州）有限公司', '330100', '云溪', '贸易', 'limited', undefined],
    ['云溪（杭州）电子商务股份有限公司', '330100', '云溪', '电子商务', 'jointStock', undefined],
    ['杭州云溪网络科技有限公司合肥分公司', '330100', '云溪', '网络科技', 'limited', '合肥分公司'],
    ['杭州云溪大药房连锁有限公司第三分店', '330100', '云溪', '大药房连锁', 'limited', '3分店'],
    ['延边州延吉市云溪水果店（个体）', '222401', '云溪', '水果', 'shop', undefined],
    ['义乌市云溪五金厂', '330782', '云溪', '五金', 'factory', undefined],
    ['杭州西湖茶叶有限公司', '330100', '西湖', '茶叶', 'limited', undefined],
    ['雲溪農業農民專業合作社', undefined, '云溪', '农业', 'cooperative', undefined],
  ])('%s', (text, region, core, trade, form, branch) => {
    const name = splitCompanyName(text);
    expect(name).toMatchObject({ core, trade, form, branch, regions: region ? [region] : [] });
  });

  test.each([
    ['杭州云溪贸易有限公司（已注销）', ['已注销']],
    ['杭州云溪贸易有限公司-官方旗舰店', ['官方旗舰店']],
    ['杭州云溪贸易有限公司 存续', ['存续']],
    ['杭州云溪贸易有限公司(品牌方)', ['品牌方']],
  ])('the note behind %s is apart', (text, notes) => {
    expect(splitCompanyName(text)).toMatchObject({ notes, core: '云溪', trade: '贸易', form: 'limited' });
  });

  test.each(['云溪旗舰店', '云溪严选', '云溪官方直播间', '云溪专营店'])('%s is a shop’s brand', (text) =>
    expect(splitCompanyName(text)).toMatchObject({ core: '云溪', isShop: true }),
  );

  test('a namesake of a place is decided by the record’s division', () => {
    expect(splitCompanyName('朝阳区云溪便利店').regions.length).toBeGreaterThan(1);
    expect(splitCompanyName('朝阳区云溪便利店', '110105').regions).toEqual(['110105']);
  });

  const compare = (a: string, b: string) => compareCompanyNames(splitCompanyName(a), splitCompanyName(b));

  test.each([
    ['Hangzhou Yunxi Trading Co., Ltd'],
    ['HANGZHOU YUNXI MAOYI YOUXIANGONGSI'],
    ['Yunxi Trade Company Limited (Hangzhou)'],
  ])('%s is 杭州云溪贸易有限公司', (text) => {
    expect(compare(text, '杭州云溪贸易有限公司')).toMatchObject({
      core: 'sameSound',
      transliterated: true,
      region: 'agree',
      trade: 'agree',
      form: 'agree',
      branch: 'agree',
    });
  });

  test.each([
    ['杭州云溪贸易有限公司', '云溪贸易有限责任公司', 'equal'],
    ['杭州云溪贸易有限公司', '杭州雲溪貿易有限公司', 'equal'],
    ['杭州云溪贸易有限公司', '杭州芸溪贸易有限公司', 'sameSound'],
    ['杭州晴川贸易有限公司', '杭州睛川贸易有限公司', 'lookAlike'],
    ['杭州未来贸易有限公司', '杭州末来贸易有限公司', 'lookAlike'],
    ['杭州云溪烟酒店', '杭州云溪烟洒店', 'lookAlike'],
    ['杭州云溪贸易有限公司', '杭州云峰贸易有限公司', 'oneDiffers'],
    ['杭州云溪谷贸易有限公司', '杭州云溪贸易有限公司', 'oneMissing'],
    ['杭州云溪贸易有限公司', '杭州鹿鸣贸易有限公司', 'different'],
  ])('%s and %s: %s', (a, b, core) => {
    expect(compare(a, b).core).toBe(core);
    expect(compare(b, a).core).toBe(core);
  });

  test('a branch is not its head office, and not another branch', () => {
    const head = '杭州云溪贸易有限公司';
    expect(compare(head, `${head}合肥分公司`).branch).toBe('contradict');
    expect(compare(`${head}宁波分公司`, `${head}合肥分公司`).branch).toBe('contradict');
    expect(compare(`${head}第一分公司`, `${head}1分公司`).branch).toBe('agree');
    expect(compare('Hangzhou Yunxi Trading Co Ltd (Hefei Branch)', `${head}合肥分公司`).branch).toBe('agree');
  });

  test('a factory is not the company of its name, another city is another place', () => {
    expect(compare('云溪五金厂', '云溪五金有限公司').form).toBe('contradict');
    expect(compare('杭州云溪贸易有限公司', '合肥云溪贸易有限公司').region).toBe('contradict');
    expect(compare('杭州云溪贸易有限公司', '浙江云溪贸易有限公司').region).toBe('agree');
  });

  const parts = fc.tuple(
    fc.constantFrom('', '杭州', '浙江省杭州市', '义乌市', '内蒙古'),
    fc.constantFrom('云溪', '鹿鸣谷', '晴川', '东方红'),
    fc.constantFrom('贸易', '网络科技', '', '电子商务'),
    fc.constantFrom('有限公司', '有限责任公司', '股份有限公司', '商行', '厂'),
  );
  test('the core is found whatever stands around it', () =>
    fc.assert(
      fc.property(parts, ([place, core, trade, form]) =>
        expect(splitCompanyName(place + core + trade + form).core).toBe(core),
      ),
    ));
});

describe('distance of names', () => {
  test.each([
    ['云溪', '云溪', 'equal'],
    ['云溪', '溪云', 'transposed'],
    ['云溪谷', '云溪', 'oneMissing'],
    ['云溪山谷', '云溪', 'prefix'],
    ['大云溪山', '云溪', 'contains'],
    ['云', '芸', 'different'],
    ['', '云溪', 'different'],
  ])('%s %s: %s', (a, b, level) => expect(nameDistance(a, b)).toBe(level));

  const names = fc.string({ unit: fc.constantFrom(...'云溪鹿鸣晴睛川未末芸'), maxLength: 6 });
  test('is symmetric', () =>
    fc.assert(fc.property(names, names, (a, b) => expect(nameDistance(a, b)).toBe(nameDistance(b, a)))));

  test.each(['己已', '未末', '晴睛', '酒洒', '诚城', '海悔', '建健'])('%s look alike', (pair) =>
    expect(lookAlike(pair[0]!, pair[1]!)).toBe(true),
  );
  test.each(['云山', '贸溪', '鹿鸣'])('%s do not', (pair) => expect(lookAlike(pair[0]!, pair[1]!)).toBe(false));
  test.each(['张章', '祥翔', '单善'])('%s sound alike', (pair) => expect(soundAlike(pair[0]!, pair[1]!)).toBe(true));
  test('Latin letters stay in a spelling', () => expect(pinyinOf('云溪ABC')).toBe('yunxiabc'));
});

describe('persons’ names', () => {
  const compare = (a: string, b: string) => comparePersonNames(splitPersonName(a), splitPersonName(b));
  test.each([
    ['欧阳小山', '欧阳', '小山'],
    ['张小山', '张', '小山'],
    ['Zhang Xiaoshan', 'zhang', 'xiaoshan'],
    ['Xiaoshan Zhang', 'zhang', 'xiaoshan'],
    ['张小山（法人）', '张', '小山'],
  ])('%s: %s %s', (text, surname, given) => expect(splitPersonName(text)).toMatchObject({ surname, given }));

  test.each([
    ['张小山', '張小山', 'equal'],
    ['张小山', 'Zhang Xiaoshan', 'spelled'],
    ['张小山', 'XIAOSHAN ZHANG', 'spelled'],
    ['单小山', 'Shan Xiaoshan', 'spelled'],
    ['吕小山', 'Lyu Xiaoshan', 'spelled'],
    ['吕小山', 'Lu Xiaoshan', 'spelled'],
    ['张小山', '章小山', 'sameSound'],
    ['张晓山', '张小山', 'sameSound'],
    ['张小山', '张*', 'masked'],
    ['张小山', '张*山', 'masked'],
    ['张小山', '张**', 'masked'],
    ['张小山', '*小山', 'masked'],
    ['张某某', '张小山', 'masked'],
    ['张小山', '李*', 'different'],
    ['张小山', '张*川', 'different'],
    ['张小山', '张大山', 'oneDiffers'],
    ['张小山', '李小山', 'different'],
    ['张小山', '张山', 'oneMissing'],
    ['买买提·艾力', '买买提艾力', 'equal'],
    ['买买提·艾力', '买买提.艾力', 'equal'],
  ])('%s and %s: %s', (a, b, level) => {
    expect(compare(a, b)).toBe(level);
    expect(compare(b, a)).toBe(level);
  });
});
