// The contracts' examples are no part of their index: tests of other parts take them from here.
export { codeExample, codeExamples, type CodeExample } from '../../libs/contracts/src/testing/every-code.js';
export { examples } from '../../libs/contracts/src/testing/examples.js';
