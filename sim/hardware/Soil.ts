/**
 * The soil of a field: water comes in from above, and goes out through plants and the sun.
 *
 * Model: one bucket as deep as the roots, after FAO Irrigation and Drainage Paper 56 (Allen and others, 1998), chapters 3 and 8. Plants
 * take what the day asks for as long as half of what they can reach is there, and less and less of it down to the wilting point. What
 * does not fit in between wilting point and field capacity runs off at once.
 *
 * Does not model: layers, slopes, water that sinks in slowly, roots that grow, crops that need more at noon than others.
 */
export interface Soil {
  /** Volumetric water content, %: below it plants take nothing; above it water runs off. */
  readonly wilting: number
  readonly full: number
  /** How deep the roots reach, mm. */
  readonly rootsMm: number
}

/** The share of what is in reach that plants take without effort. */
const EASY = 0.5

/** How much of what the day asks for they get, from 0 to 1. */
export const uptake = ({ full, wilting }: Soil, moisture: number): number => {
  const reach = (moisture - wilting) / (full - wilting)
  return Math.min(1, Math.max(0, reach / (1 - EASY)))
}

/** Its moisture, %, after `inMm` came in and the day asked for `outMm`. */
export const watered = (soil: Soil, moisture: number, inMm: number, outMm: number): number => {
  const changedMm = inMm - outMm * uptake(soil, moisture)
  return Math.min(soil.full, Math.max(0, moisture + (changedMm / soil.rootsMm) * 100))
}
