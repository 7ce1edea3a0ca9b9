/*
 * Tests of faults exist in a short form, part of `npm test`, and a long one, `npm run chaos`, which sets these: CHAOS=long, and
 * CHAOS_SEED. Both are the same tests with other numbers.
 */

/** Whether this is the long form. */
export const isLong = process.env.CHAOS === 'long';

/** How often something happens. */
export const amount = (short: number, long: number) => (isLong ? long : short);

/** The seed of the faults; `npm run chaos -- --seed` gives another. */
export const chaosSeed = (otherwise: number) => Number(process.env.CHAOS_SEED ?? otherwise);
