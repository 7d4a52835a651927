/** Names that eKuiper 2.4.2 reserves: it would never call a service's function of such a name. */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

export const BUILTIN_FUNCTIONS = words(`
    abs acc_avg acc_collect acc_count acc_map_agg acc_max acc_max_by acc_min acc_min_by acc_sum acos array_avg
    array_cardinality array_concat array_contains array_contains_any array_create array_distinct array_except
    array_flatten array_intersect array_join array_last_position array_map array_max array_min array_position
    array_remove array_shuffle array_sort array_union asin atan atan2 avg bitand bitnot bitor bitxor bypass
    cardinality cast ceil ceiling changed_col changed_cols chr coalesce collect concat conv convert_tz cos cosh
    cot count crc32 cur_date cur_time current_date current_time current_timestamp date_calc date_diff day day_name
    day_of_month day_of_week day_of_year dec2hex decode deduplicate degrees delay element_at encode endswith erase
    event_time exp extract floor format format_time from_days from_unix_time get_keyed_state had_changed hex2dec
    hour inc_avg inc_collect inc_count inc_last_value inc_max inc_merge_agg inc_min inc_sum indexof isnull items
    json_path_exists json_path_query json_path_query_first keys kvpair_array_to_obj lag last_agg_hit_count
    last_agg_hit_time last_day last_hit_count last_hit_time last_value latest length ln local_time local_timestamp
    log lower lpad ltrim max md5 median merge_agg meta microsecond min minute mod month month_name mqtt newuuid
    now numbytes obj_to_kvpair_array object object_concat object_construct object_pick object_size parse_json
    percentile_cont percentile_disc pi pow power props radians rand regexp_matches regexp_replace regexp_substr
    repeat reverse round row_number rpad rtrim rule_id rule_start second sequence sha1 sha256 sha384 sha512 sign
    sin sinh split_value sqrt startswith stddev stddevs substring sum tan tanh to_json to_seconds trim trunc
    tstamp unnest upper values var vars window_end window_start window_trigger zip
`);

export const RESERVED_WORDS = words(`
    and array as asc between bigint boolean by bytea case countwindow create cross datasource datetime dd
    delimiter desc describe drop else end except explain extra false filter float format from full group having hh
    hoppingwindow in inner integer invisible join key kind left like limit mi ms not on or order over partition
    replace right schemaid select sessionwindow shared show slidingwindow ss statewindow stream streams string
    struct table tables temp then timestamp true tumblingwindow type version when where with
`);
