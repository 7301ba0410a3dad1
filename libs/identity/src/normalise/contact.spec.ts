import { describe, expect, test } from '@jest/globals';
import { maskedPhoneAgrees, readBankAccount, readDomain, readEmail, readPhone } from './contact.js';
import { readShopAddress } from './shop-address.js';

describe('phones', () => {
  test.each([
    ['13900010002', '+8613900010002', 'mobile'],
    ['+86 139-0001-0002', '+8613900010002', 'mobile'],
    ['86-13900010002', '+8613900010002', 'mobile'],
    ['008613900010002', '+8613900010002', 'mobile'],
    ['１３９０００１０００２', '+8613900010002', 'mobile'],
    ['0571-88120034', '+8657188120034', 'landline'],
    ['(0571)88120034', '+8657188120034', 'landline'],
    ['+86 571 88120034', '+8657188120034', 'landline'],
    ['010-62345670', '+861062345670', 'landline'],
    ['4008120034', '+864008120034', 'service'],
    ['+852 2123 4567', '+85221234567', 'foreign'],
    ['+1 650 253 0000', '+16502530000', 'foreign'],
  ])('%s is %s, %s', (text, number, kind) => expect(readPhone(text)).toEqual({ status: 'valid', number, kind }));

  test('an extension is kept apart', () =>
    expect(readPhone('021-62340078转803')).toEqual({
      status: 'valid',
      number: '+862162340078',
      kind: 'landline',
      extension: '803',
    }));

  test.each(['13800138000', '13888888888', '00000000000', '12345678', '无', '暂无', '-'])('%s names nobody', (text) =>
    expect(readPhone(text)).toEqual({ status: 'placeholder' }),
  );

  test('a mask keeps its ends and is compared by them', () => {
    expect(readPhone('139****0002')).toEqual({ status: 'masked', pattern: '139****0002', known: 7 });
    expect(readPhone('139**0002')).toEqual({ status: 'masked', pattern: '139****0002', known: 7 });
    expect(maskedPhoneAgrees('139****0002', '+8613900010002')).toEqual({ verdict: 'agree', compared: 7 });
    expect(maskedPhoneAgrees('139****0002', '+8613900010003').verdict).toBe('contradict');
    expect(maskedPhoneAgrees('139****0002', '+8657188120034').verdict).toBe('contradict');
  });
});

describe('bank accounts', () => {
  test.each([
    ['6222 0202 0000 0000 006', 'card'],
    ['571900112210801', 'account'],
    ['1202026609900012345', 'account'],
  ])('%s is a %s', (text, status) => expect(readBankAccount(text).status).toBe(status));
  test.each(['0000000000000000', '无', '1234123412341234'])('%s names nobody', (text) =>
    expect(readBankAccount(text)).toEqual({ status: 'placeholder' }),
  );
  test('a mask is no key', () => expect(readBankAccount('6222****0008').status).toBe('masked'));
});

describe('mail addresses', () => {
  test.each([
    [' Yunxi.Trade@Yunxi-Trade.Example ', 'yunxi.trade@yunxi-trade.example'],
    ['yun.xi+shop@googlemail.com', 'yunxi@gmail.com'],
    ['ｙｕｎｘｉ@qq.example', 'yunxi@qq.example'],
  ])('%s is %s', (text, address) => expect(readEmail(text)).toMatchObject({ status: 'valid', address }));
  test('a QQ mailbox by number is a QQ account too', () =>
    expect(readEmail('20045678@QQ.com')).toEqual({
      status: 'valid',
      address: '20045678@qq.com',
      domain: 'qq.com',
      qq: '20045678',
      publicDomain: true,
    }));
  test.each([
    ['test@qq.com', 'placeholder'],
    ['无', 'placeholder'],
    ['yu***@qq.com', 'masked'],
    ['yunxi.example', 'invalid'],
  ])('%s is %s', (text, status) => expect(readEmail(text).status).toBe(status));
});

describe('domains and shop addresses', () => {
  test.each([
    ['https://shop.yunxi.com.cn/a?b', 'yunxi.com.cn'],
    ['WWW.YunXi.CN', 'yunxi.cn'],
  ])('%s lies in %s', (text, domain) => expect(readDomain(text)).toMatchObject({ status: 'valid', domain }));
  test('an address by number is none', () => expect(readDomain('http://127.0.0.1/').status).toBe('invalid'));

  test.each([
    ['https://shop990101001.taobao.com/?spm=a1', 'taobao', '990101001'],
    ['yunxi-demo.taobao.com', 'taobao', 'yunxi-demo'],
    ['https://store.taobao.com/shop/view_shop.htm?user_number_id=990101', 'taobao', '990101'],
    ['https://YunxiDemo.tmall.com/category.htm', 'tmall', 'yunxidemo'],
    ['https://mall.jd.com/index-9901010.html?from=pc', 'jd', '9901010'],
    ['https://shop.m.jd.com/?shopId=9901010', 'jd', '9901010'],
    ['https://mobile.yangkeduo.com/mall_page.html?mall_id=99010100', 'pinduoduo', '99010100'],
    ['https://www.douyin.com/user/MS4wDemo', 'douyin', 'ms4wdemo'],
    ['https://live.douyin.com/990101', 'douyin', '990101'],
    ['https://shop990101.1688.com', '1688', '990101'],
    ['https://weidian.com/?userid=990101', 'weidian', '990101'],
    ['https://www.aliexpress.com/store/990101', 'aliexpress', '990101'],
    ['https://www.amazon.com/sp?seller=A0DEMO0DEMO00', 'amazon', 'a0demo0demo00'],
  ])('%s is a shop on %s', (url, platform, shopId) =>
    expect(readShopAddress(url)).toEqual({ status: 'shop', platform, shopId }),
  );
  test('an item is no shop, a site of its own is a domain', () => {
    expect(readShopAddress('https://item.taobao.com/item.htm?id=1')).toEqual({ status: 'page', platform: 'taobao' });
    expect(readShopAddress('https://shop.yunxi.com.cn/')).toEqual({ status: 'site', domain: 'yunxi.com.cn' });
    expect(readShopAddress('没有').status).toBe('invalid');
  });
});
