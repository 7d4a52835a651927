/**
 * Phrases that texts for readers must not contain, and what to write instead: terms of the glossary, and constructions
 * that read badly.
 */

export interface Phrase {
  readonly pattern: RegExp;
  /** What to write instead, or what is wrong. */
  readonly advice: string;
}

/** The terms of docs/reference/glossary.md. */
const TERMS: readonly Phrase[] = [
  { pattern: /\bbest labels?\b/i, advice: "top-1 label" },
  { pattern: /\bhand(?:s|ed|ing)?(?: \w+){0,3}? over\b|\bhand-?over\b/i, advice: "submit" },
  { pattern: /\bkept answers?\b/i, advice: "cached result" },
  { pattern: /\bpieces\b/i, advice: "chunks" },
  { pattern: /\bdoors?\b/i, advice: "protocol" },
  { pattern: /\bmend(?:s|ed|ing)?\b/i, advice: "fix" },
  { pattern: /\bin turns\b|\b(?:its|their) turn\b/i, advice: "yield; a share of the thread" },
  { pattern: /\bthe way of an? \w+/i, advice: "the pipeline, the path" },
  { pattern: /\bresidues?\b/i, advice: "overflow weights" },
  { pattern: /\bshorts\b/i, advice: "int16 activations" },
  { pattern: /\b(?:in|of) floats\b/i, advice: "f32" },
  { pattern: /\bin doubt\b/i, advice: "rounding uncertainty" },
  { pattern: /\bwhen (?:it is|they are) alone\b|\bthat is alone\b/i, advice: "idle" },
];

const CONSTRUCTIONS: readonly Phrase[] = [
  { pattern: /\b(?:has|have|had) no\b/i, advice: "does not have" },
  { pattern: /\b(?:is|are|was|were) none\b/i, advice: "there is no …, is not" },
  { pattern: /\b(?:is|are|was|were) (?:said|told (?:in|on|of|there))\b/i, advice: "is reported, is described" },
  { pattern: /\bmay have \d/i, advice: "may be up to" },
  { pattern: /\bWhat (?:\w+ ){1,4}\w+, is\b/, advice: "turn the sentence round: subject, verb, object" },
  { pattern: /\bwhich who\b|\bwho which\b/i, advice: "one relative pronoun" },
  { pattern: /\bif need be\b/i, advice: "if necessary" },
  { pattern: /\bcomes? again\b/i, advice: "retry, repeat" },
  { pattern: /\banew\b/i, advice: "again" },
  { pattern: /\bgoes before\b/i, advice: "overrides" },
  { pattern: /\bneed not\b/i, advice: "does not have to" },
  { pattern: /\bas of\b/i, advice: "as in, like that of" },
  { pattern: /\bthe same of\b/i, advice: "the same for" },
  { pattern: /\bin this very\b/i, advice: "in this" },
  { pattern: /\bof a kind that\b/i, advice: "such that, which" },
  { pattern: /\b(\w+) \1\b/i, advice: "one of the two words" },
];

export const PHRASES: readonly Phrase[] = [...TERMS, ...CONSTRUCTIONS];
