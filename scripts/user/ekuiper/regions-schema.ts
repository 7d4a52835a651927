/** The protobuf schema of an SQL function whose model has regions. */

/** The schema of a function whose answer has a field for each region; see ekuiper/service/schemas/labeler.proto. */
export function regionsSchema(name: string, regions: readonly string[]): string {
  const fields = regions.map((region, at) => `  Region ${region} = ${at + 1};`);
  return `// The function ${name}: labelImage of a model that looks at regions, with a field for each of them.
syntax = "proto3";
package labeler_${name};

import "google/protobuf/wrappers.proto";

service Labeler {
  rpc labelRegions(google.protobuf.StringValue) returns (RegionsResponse) {}
}

message Label {
  double confidence = 1;
  string label = 2;
}

message Region {
  repeated Label results = 1; // by descending confidence
  string label = 2;           // of the top-1 label
  double confidence = 3;      // of the top-1 label
}

message Regions {
${fields.join("\n")}
}

message RegionsResponse {
  repeated Label results = 1; // of the region, if there is only one
  string label = 2;
  double confidence = 3;
  string error = 4;           // why there are no labels
  string model = 5;           // the one that was used
  Regions regions = 6;
}
`;
}
