/* Names that an application meets: the element vidifilter, its messages and their fields, its pads
 * and signals. The element itself is compiled with these lines, and their meaning stands in
 * gst/REFERENCE.md. C and C++; needs no other header.
 *
 *   if (gst_message_has_name(message, VIDI_MESSAGE_RESULT))
 *     gst_structure_get_uint64(gst_message_get_structure(message), VIDI_FIELD_STREAM_TIME, &start);
 *
 * An unknown value is a field that is left out. Fields are added, never renamed, within one
 * VIDI_SCHEMA_VERSION. Times and durations are guint64 nanoseconds.
 */
#pragma once

#define VIDI_SCHEMA_VERSION 1

#define VIDI_ELEMENT "vidifilter"

/* Element messages on the bus, custom events on the pad `src`. */
#define VIDI_MESSAGE_RESULT "vidi/result"
#define VIDI_MESSAGE_WINDOW "vidi/window"
#define VIDI_MESSAGE_WINDOW_DROPPED "vidi/window-dropped"
#define VIDI_MESSAGE_MODEL "vidi/model"
/* Details of a warning about a question that is refused: VIDI_FIELD_QUERY_ID, VIDI_FIELD_QUERY. */
#define VIDI_STRUCTURE_REFUSED "vidi/refused"
/* The value of the property `stats`. */
#define VIDI_STRUCTURE_STATS "vidi/stats"

/* Fields: every structure. */
#define VIDI_FIELD_SCHEMA_VERSION "schema-version"
#define VIDI_FIELD_SESSION_ID "session-id"

/* Fields: VIDI_MESSAGE_RESULT: what was asked, and by which way it was found. */
#define VIDI_FIELD_RESULT_ID "result-id"
#define VIDI_FIELD_FINAL "final"
#define VIDI_FIELD_TASK "task"
#define VIDI_FIELD_QUERY "query"
#define VIDI_FIELD_QUERY_ID "query-id"
#define VIDI_FIELD_LABEL "label"
#define VIDI_FIELD_SOURCE "source"
#define VIDI_FIELD_TEXT "text"
#define VIDI_FIELD_CONFIDENCE "confidence"
#define VIDI_FIELD_RELATIVE_START "relative-start"
#define VIDI_FIELD_RELATIVE_STOP "relative-stop"

/* Fields: times, ns: PTS, stream time and running time of its start; a GstDateTime. */
#define VIDI_FIELD_TIMESTAMP "timestamp"
#define VIDI_FIELD_DURATION "duration"
#define VIDI_FIELD_STREAM_TIME "stream-time"
#define VIDI_FIELD_RUNNING_TIME "running-time"
#define VIDI_FIELD_UTC_TIME "utc-time"

/* Fields: the window: in VIDI_MESSAGE_RESULT, _WINDOW and _WINDOW_DROPPED. */
#define VIDI_FIELD_WINDOW_INDEX "window-index"
#define VIDI_FIELD_WINDOW_START "window-start"
#define VIDI_FIELD_WINDOW_STOP "window-stop"
#define VIDI_FIELD_PARTIAL_WINDOW "partial-window"
#define VIDI_FIELD_HAS_AUDIO "has-audio"
#define VIDI_FIELD_FRAMES "frames"
#define VIDI_FIELD_DROPPED_FRAMES "dropped-frames"
#define VIDI_FIELD_TRUNCATED "truncated"
#define VIDI_FIELD_INFERENCE_TIME "inference-time"
#define VIDI_FIELD_DELAY "delay"

/* Fields: VIDI_MESSAGE_WINDOW. */
#define VIDI_FIELD_RESULTS "results"
#define VIDI_FIELD_QUERIES "queries"
#define VIDI_FIELD_QUERY_IDS "query-ids"
#define VIDI_FIELD_TEXTS "texts"
#define VIDI_FIELD_NOTES "notes"
#define VIDI_FIELD_SMALL_STEPS "small-steps"
#define VIDI_FIELD_GATED "gated"
#define VIDI_FIELD_SIMILARITY "similarity"
#define VIDI_FIELD_ERROR "error"

/* Fields: VIDI_MESSAGE_WINDOW_DROPPED. */
#define VIDI_FIELD_REASON "reason"
#define VIDI_FIELD_WINDOWS_DROPPED "windows-dropped"
#define VIDI_FIELD_WINDOWS_SUBMITTED "windows-submitted"

/* Fields: VIDI_MESSAGE_MODEL. */
#define VIDI_FIELD_STATE "state"
#define VIDI_FIELD_MODEL_PATH "model-path"
#define VIDI_FIELD_MODEL_FROM "model-from"
#define VIDI_FIELD_DEVICE "device"
#define VIDI_FIELD_PRECISION "precision"
#define VIDI_FIELD_WEIGHTS "weights"
#define VIDI_FIELD_KEYS "keys"
#define VIDI_FIELD_PLAN "plan"
#define VIDI_FIELD_WHY_NO_GPU "why-no-gpu"
#define VIDI_FIELD_WHY_NO_KERNELS "why-no-kernels"
#define VIDI_FIELD_FAMILY "family"
#define VIDI_FIELD_WEIGHT_BYTES "weight-bytes"
#define VIDI_FIELD_DEVICE_MEMORY "device-memory"
#define VIDI_FIELD_LOAD_TIME "load-time"

/* Fields: VIDI_STRUCTURE_STATS, the property `stats`; counters, ns and bytes. */
#define VIDI_FIELD_WINDOWS_COMPLETED "windows-completed"
#define VIDI_FIELD_WINDOWS_GATED "windows-gated"
#define VIDI_FIELD_WINDOWS_FAILED "windows-failed"
#define VIDI_FIELD_FRAMES_IN "frames-in"
#define VIDI_FIELD_FRAMES_SAMPLED "frames-sampled"
#define VIDI_FIELD_AUDIO_SAMPLES "audio-samples"
#define VIDI_FIELD_PENDING "pending"
#define VIDI_FIELD_INFERENCE_TIME_LAST "inference-time-last"
#define VIDI_FIELD_INFERENCE_TIME_AVG "inference-time-avg"
#define VIDI_FIELD_INFERENCE_TIME_MAX "inference-time-max"
#define VIDI_FIELD_DELAY_LAST "delay-last"
#define VIDI_FIELD_DELAY_AVG "delay-avg"
#define VIDI_FIELD_DELAY_MAX "delay-max"
#define VIDI_FIELD_REALTIME_FACTOR "realtime-factor"
#define VIDI_FIELD_SAMPLE_MEMORY "sample-memory"
#define VIDI_FIELD_GPU_MEMORY "gpu-memory"
#define VIDI_FIELD_LEFT_OUT "left-out"
/* Of several devices: an array of structures, one each, with VIDI_FIELD_DEVICE,
 * VIDI_FIELD_WINDOWS_COMPLETED, VIDI_FIELD_WINDOWS_FAILED, VIDI_FIELD_GPU_MEMORY and, where it is
 * left out, VIDI_FIELD_ERROR. */
#define VIDI_FIELD_DEVICES "devices"
#define VIDI_STRUCTURE_DEVICE "vidi/device"
#define VIDI_FIELD_WINDOWS_DROPPED_FOR "windows-dropped-" /* and a VIDI_REASON */

/* Values of VIDI_FIELD_REASON. */
#define VIDI_REASON_OVERLOAD "overload"
#define VIDI_REASON_TOO_FEW_FRAMES "too-few-frames"
#define VIDI_REASON_OUT_OF_MEMORY "out-of-memory"
#define VIDI_REASON_FLUSH "flush"
#define VIDI_REASON_MODEL_FAILED "model-failed"
#define VIDI_REASON_STOPPED "stopped"

/* Values of VIDI_FIELD_STATE. */
#define VIDI_STATE_UNLOADED "unloaded"
#define VIDI_STATE_LOADING "loading"
#define VIDI_STATE_READY "ready"
#define VIDI_STATE_FAILED "failed"

/* Values of VIDI_FIELD_SOURCE. */
#define VIDI_SOURCE_MODEL "model"
#define VIDI_SOURCE_QUERIES "queries"

/* Pads; the last four are asked for, or come with their other side. */
#define VIDI_PAD_SINK "sink"
#define VIDI_PAD_SRC "src"
#define VIDI_PAD_AUDIO_SINK "audio_sink"
#define VIDI_PAD_AUDIO_SRC "audio_src"
#define VIDI_PAD_TEXT_SRC "text_src"
#define VIDI_PAD_JSON_SRC "json_src"

/* Action signals: gchar* ask (const gchar* query, guint64 start, guint64 stop), and
 * void analyze-now (void). */
#define VIDI_SIGNAL_ASK "ask"
#define VIDI_SIGNAL_ANALYZE_NOW "analyze-now"
