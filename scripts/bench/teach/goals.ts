/** What taught heads have to reach, by set and photos a class. */

interface Goal {
  /** The least share of photos that is recognised. */
  readonly head?: number;
  /** How much more that is than the plain probe's on the same draws. */
  readonly gain?: number;
  /** The greatest calibration error. */
  readonly calibration?: number;
}

export const GOALS: Readonly<Record<string, Readonly<Record<number, Goal>>>> = {
  waste: {
    5: { head: 0.64, gain: 0.01, calibration: 0.09 },
    10: { head: 0.71, gain: 0.015, calibration: 0.08 },
    20: { head: 0.768, gain: 0.022, calibration: 0.065 },
    50: { head: 0.83, gain: 0.03, calibration: 0.06 },
  },
  tiles: { 5: { head: 0.565 }, 10: { head: 0.66 }, 20: { head: 0.79 } },
};

/** At so many photos a class, of every set. */
export const UNKNOWN_GOAL = { size: 10, falseUnknown: 0.08, foundUnknown: 0.9 } as const;

/** How a picture of a fixed camera is looked at. */
export const VIEWS = ["whole frame", "region"] as const;
export type View = (typeof VIEWS)[number];

/** The least share of frames of a fixed camera that are recognised. */
export const SCENE_GOALS: Readonly<Record<View, number>> = { "whole frame": 0.99, region: 1 };

/** A cost with the most that it may be. */
export interface SpeedRow {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly most: number;
}
