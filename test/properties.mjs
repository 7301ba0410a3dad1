import fc from 'fast-check';

/** Inputs that are drawn are the same in every run, so that none fails by chance; FC_SEED draws others. */
fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 20_200_203) });
