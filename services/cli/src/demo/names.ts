import type { Random } from './random.ts';

export type Sex = 'F' | 'M';
export type Generation = 'ELDER' | 'ADULT' | 'CHILD';

/** The commonest surnames, most common first. Every person of the demo is made up. */
const SURNAMES = [
  ...'王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦',
];

/** Given names go by fashion: someone named 建国 is not six years old. */
const GIVEN: Record<Generation, Record<Sex, readonly [string, ...string[]]>> = {
  ELDER: {
    F: ['桂英', '秀兰', '玉兰', '桂珍', '凤英', '秀珍', '淑珍', '玉梅', '兰英', '惠芳', '月娥', '美珍', '素芬', '彩凤'],
    M: ['建国', '国强', '建华', '志明', '德明', '永福', '宝根', '阿根', '国华', '金生', '长根', '炳荣', '关林', '正华'],
  },
  ADULT: {
    F: ['芳', '娜', '敏', '静', '丽', '艳', '娟', '霞', '婷婷', '雪', '倩', '莹', '晓燕', '佳', '丹', '琳'],
    M: ['伟', '强', '磊', '军', '洋', '勇', '杰', '涛', '明', '超', '鹏', '浩', '俊', '斌', '凯', '宇航'],
  },
  CHILD: {
    F: ['梓涵', '一诺', '欣怡', '诗涵', '依诺', '可馨', '语桐', '若汐', '思彤', '沐晴', '雨桐', '佳怡'],
    M: ['浩然', '子轩', '宇轩', '梓睿', '沐宸', '浩宇', '俊熙', '奕辰', '皓轩', '铭泽', '睿泽', '嘉懿'],
  },
};

/** A surname; squaring the draw makes the first ones far more common, as in life. */
export const surname = (random: Random): string => SURNAMES[Math.floor(random.next() ** 2 * SURNAMES.length)] ?? '王';

export const givenName = (random: Random, generation: Generation, sex: Sex): string =>
  random.pick(GIVEN[generation][sex]);
