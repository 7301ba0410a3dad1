import { describe, expect, test } from '@jest/globals';
import { addressCompare, chineseNumber, parseAddress } from './address.js';
import { currentRegion, placesByPinyin, readPlaces, regionAgreement, regionOf } from './region.js';

describe('divisions (GB/T 2260)', () => {
  test.each([
    ['110103', '110101', 'Chongwen went to Dongcheng in 2010'],
    ['310108', '310106', 'Zhabei went to Jing’an in 2015'],
    ['330184', '330110', 'the city of Yuhang became a district in 2001'],
    ['371202', '370116', 'Laicheng became a district of Jinan in 2019'],
    ['330104', '330102', 'Jianggan went to Shangcheng in 2021'],
    ['422421', '421000', 'Jiangling prefecture’s county: its city at least'],
    ['330106', '330106', 'in force'],
  ])('%s lies in %s now: %s', (code, current) => {
    const now = currentRegion(code)!;
    expect(now === current || now.startsWith(current.replace(/(?:00)+$/, ''))).toBe(true);
  });
  test('a code that never was gives its city', () => expect(currentRegion('330199')).toBe('330100'));
  test('nonsense gives nothing', () => {
    expect(currentRegion('000000')).toBeUndefined();
    expect(currentRegion('云溪')).toBeUndefined();
  });
  test('names and levels', () =>
    expect(regionOf('330106')).toEqual({ code: '330106', name: '西湖区', level: 'county', current: '330106' }));

  test.each([
    ['330106', '330106', 'same'],
    ['330106', '330100', 'within'],
    ['330106', '330110', 'sameCity'],
    ['110101', '110105', 'sameCity'],
    ['330106', '330206', 'sameProvince'],
    ['330106', '110101', 'different'],
    ['110103', '110101', 'same'],
    ['330106', undefined, 'unknown'],
  ] as const)('%s and %s: %s', (a, b, level) => {
    expect(regionAgreement(a, b)).toBe(level);
    expect(regionAgreement(b, a)).toBe(level);
  });

  test.each([
    ['浙江省杭州市西湖区云溪路1号', '330106', '云溪路1号'],
    ['浙江杭州西湖区云溪路1号', '330106', '云溪路1号'],
    ['杭州云溪贸易', '330100', '云溪贸易'],
    ['中国浙江省 杭州市', '330100', ''],
    ['内蒙古自治区呼和浩特市', '150100', ''],
    ['江西省南昌市红谷滩区云溪', '360113', '云溪'],
    ['濉溪北路212号', undefined, '濉溪北路212号'],
    ['北京西路88号', undefined, '北京西路88号'],
    ['东方云溪贸易', undefined, '东方云溪贸易'],
  ])('%s lies in %s', (text, code, rest) => {
    const places = readPlaces(text);
    expect(places.codes).toEqual(code ? [code] : []);
    expect(places.rest).toBe(rest);
  });
  test('in Latin letters', () => {
    expect(placesByPinyin('hangzhou')).toEqual(['330100']);
    expect(placesByPinyin('shaanxi')).toEqual(['610000']);
  });
});

describe('addresses', () => {
  test.each([
    ['一百二十一', 121],
    ['二〇三', 203],
    ['十二', 12],
    ['三百零五', 305],
    ['二千零八', 2008],
  ])('%s is %i', (text, number) => expect(chineseNumber(text)).toBe(number));

  const FULL = {
    regions: ['330106'],
    town: '灵隐街道',
    road: '云溪路',
    number: '12',
    building: '3',
    unit: '2',
    room: '301',
  };
  test.each([
    '浙江省杭州市西湖区灵隐街道云溪路12号3幢2单元301室',
    '浙江杭州西湖区灵隐街道云溪路１２号３栋２单元３０１室',
    '杭州市西湖区灵隐街道云溪路十二号三号楼二单元301',
    '杭州市西湖区靈隱街道雲溪路12號3-2-301',
    '杭州市西湖区灵隐街道云溪路12#3座2单元301号',
  ])('%s', (text) => expect(parseAddress(text)).toMatchObject(FULL));

  test('lanes are Shanghai’s', () =>
    expect(parseAddress('上海市浦东新区云溪路1000弄12号201室')).toMatchObject({
      regions: ['310115'],
      road: '云溪路',
      lane: '1000',
      number: '12',
      room: '201',
    }));
  test('a street number with a letter or 甲, 附', () => {
    expect(parseAddress('北京市朝阳区云溪路甲88号院5号楼').number).toBe('甲88');
    expect(parseAddress('成都市武侯区云溪路88号附3号').number).toBe('88-3');
  });

  const compare = (a: string, b: string) => addressCompare(parseAddress(a), parseAddress(b));
  test.each([
    ['杭州市西湖区云溪路12号3幢301室', '浙江省杭州市西湖区云溪路十二号3栋301', 'room', undefined],
    ['杭州市西湖区云溪路12号3幢301室', '杭州市西湖区云溪路12号', 'number', undefined],
    ['杭州市西湖区云溪路12号3幢301室', '杭州市西湖区云溪路12号3幢302室', 'building', 'room'],
    ['杭州市西湖区云溪路12号', '杭州市西湖区云溪路14号', 'road', 'number'],
    ['杭州市西湖区云溪路12号', '杭州市西湖区鹿鸣路12号', 'region', 'road'],
    ['杭州市西湖区云溪路12号', '合肥市云溪路12号', 'none', 'region'],
    ['西湖区九亭镇云溪路12号', '西湖区九亭云溪路12号', 'number', undefined],
    ['杭州市云溪路12号', '云溪路12号', 'number', undefined],
    ['杭州市', '合肥市', 'none', 'region'],
  ])('%s and %s agree to the %s', (a, b, agrees, contradicts) => {
    expect(compare(a, b)).toEqual({ agrees, contradicts });
    expect(compare(b, a)).toEqual({ agrees, contradicts });
  });
  test('equal keys for one house', () =>
    expect(parseAddress('杭州市西湖区云溪路十二号301').key).toBe(parseAddress('云溪路12号').key));
});
