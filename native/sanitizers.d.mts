export function missingForSanitizers(programs: readonly string[]): string | undefined;
