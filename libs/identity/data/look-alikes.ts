export const LOOK_ALIKES = `
己已巳
未末
士土
日曰
天夭夫
人入八
`;
