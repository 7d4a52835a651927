/** The interpretation of a rule's counters. The counters are those of eKuiper 2.4.2. */
import { expect, test } from "vitest";
import { judgeRule } from "../../scripts/user/ekuiper/check-rules.ts";
import { dated, readCounters } from "../../scripts/user/ekuiper/rule-counters.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const MINUTE = 60_000;

/** Of a rule from MQTT to MQTT that has had ten rows, the last one a minute ago. */
const running = {
  source_tfdemo_0_records_in_total: 10,
  source_tfdemo_0_connection_status: 1,
  source_tfdemo_0_connection_last_connected_time: NOW - 90 * MINUTE,
  source_tfdemo_0_connection_last_disconnected_time: 0,
  source_tfdemo_0_connection_last_disconnected_message: "",
  source_tfdemo_0_connection_last_try_time: NOW - 90 * MINUTE,
  op_3_project_0_exceptions_total: 0,
  op_3_project_0_last_exception: "",
  op_3_project_0_last_exception_time: 0,
  sink_mqtt_0_0_records_out_total: 10,
  sink_mqtt_0_0_last_invocation: NOW - MINUTE,
  sink_mqtt_0_0_connection_status: 1,
  sink_mqtt_0_0_connection_last_try_time: NOW - 90 * MINUTE,
};
const judge = (differing: Record<string, string | number>) =>
  judgeRule("rule label", { ...running, ...differing }, NOW);

test("a rule that works is ok", () => {
  expect(judge({})).toEqual({ name: "rule label", state: "ok", detail: "running, 10 rows in, 10 out" });
});

test("a source that is connecting again is offline, with the time and the reason", () => {
  const { state, detail } = judge({
    source_tfdemo_0_connection_status: 0,
    source_tfdemo_0_connection_last_disconnected_time: NOW - 3 * MINUTE,
    source_tfdemo_0_connection_last_disconnected_message: "EOF",
  });
  expect(state).toBe("error");
  expect(detail).toContain("source_tfdemo_0 is not connected since 2026-11-30 11:57:00 UTC, 3 min ago: EOF");
});

test("a sink that has never connected is offline, too", () => {
  const { state, detail } = judge({ sink_mqtt_0_0_connection_status: 0 });
  expect(state).toBe("error");
  expect(detail).toContain("sink_mqtt_0_0 is not connected: it is connecting");
});

test("what connects to nothing is not offline", () => {
  const memory = { source_memory_0_connection_status: 0, source_memory_0_connection_last_try_time: 0 };
  expect(judge(memory).state).toBe("ok");
});

test("an error has its date, and is no warning for ever", () => {
  const failed = (at: number, lastOut = NOW - MINUTE) =>
    judge({
      op_3_project_0_exceptions_total: 2,
      op_3_project_0_last_exception: "it failed",
      op_3_project_0_last_exception_time: at,
      sink_mqtt_0_0_last_invocation: lastOut,
    });
  expect(failed(NOW - 30_000)).toMatchObject({
    state: "warning",
    detail: "running, 10 rows in, 10 out, 2 errors, the last (2026-11-30 11:59:30 UTC, 30 s ago): it failed",
  });
  expect(failed(NOW - 70 * MINUTE)).toMatchObject({
    state: "ok",
    detail: expect.stringContaining("(2026-11-30 10:50:00 UTC, 70 min ago; rows have gone out since): it failed"),
  });
  expect(failed(NOW - 70 * MINUTE, NOW - 80 * MINUTE).state).toBe("warning");
});

test("of several places the newest error is the last", () => {
  const { errors, lastErrors } = readCounters({
    source_a_0_exceptions_total: 1,
    source_a_0_last_exception: "old",
    source_a_0_last_exception_time: NOW - MINUTE,
    sink_b_0_0_exceptions_total: 2,
    sink_b_0_0_last_exception: "new",
    sink_b_0_0_last_exception_time: NOW,
  });
  expect(errors).toBe(3);
  expect(lastErrors.map(({ place, text }) => `${place}: ${text}`)).toEqual(["sink_b_0_0: new", "source_a_0: old"]);
});

test.each([
  [10_000, "10 s ago"],
  [3 * MINUTE, "3 min ago"],
  [300 * MINUTE, "5 h ago"],
  [5 * 24 * 60 * MINUTE, "5 days ago"],
])("%i ms ago is %s", (ms, words) => {
  expect(dated(new Date(NOW - ms), NOW)).toMatch(words);
});
