import {
  Action, Bytes, ByteWriter, clusterMetadata, dynamicMetadata, filter, Headers, HttpFilter,
  LifeSpan, Metadata, properties, routeMetadata, setFilterState, setProperty,
} from "@weft/sdk/assembly";

/** Answers with what it finds in metadata and filter state, a line each. */
@filter("metadata")
export class Teller extends HttpFilter {
  onRequestHeaders(_headers: Headers, _endOfStream: bool): Action {
    const told = new ByteWriter();
    const claims = dynamicMetadata("jwt").at("payload");
    told.text("sub ").text(shown(claims.at("sub").text())).text("\n");
    told.text(`exp ${claims.at("exp").number()}\n`);
    told.text(`admin ${claims.at("admin").bool()} ${claims.at("guest").bool(true)}\n`);
    told.text("roles ").text(names(claims.at("roles"))).text("\n");
    told.text("role 1 ").text(shown(claims.at("roles").at("1").text())).text("\n");
    told.text("address ").text(names(claims.at("address"))).text("\n");
    told.text("city ").text(shown(claims.at("address").at("city").text())).text("\n");
    told.text(`missing ${claims.at("missing").number(-1)} `);
    told.text(shown(dynamicMetadata("none").at("x").text())).text("\n");
    told.text("empty ").text(shown(claims.at("empty").text())).text("\n");
    told.text("route ").text(shown(routeMetadata("jwt").at("tier").text())).text("\n");
    told.text("cluster ").text(shown(clusterMetadata("jwt").at("tier").text())).text("\n");
    this.tellFilterState(told);
    return this.respond(200, told.finish());
  }

  private tellFilterState(told: ByteWriter): void {
    const isOwn = setProperty("tenant", "blue");
    const isKnown = setFilterState("envoy.string", "green", LifeSpan.DownstreamRequest);
    const isUnknown = setFilterState("nobody.knows", "red", LifeSpan.DownstreamRequest);
    told.text(`set ${isOwn} ${isKnown} ${isUnknown}\n`);
    told.text("own ").text(shown(properties.filterState("wasm.tenant"))).text("\n");
    told.text("known ").text(shown(properties.filterState("envoy.string"))).text("\n");
  }
}

function shown(bytes: Bytes | null): Bytes {
  return bytes == null ? Bytes.of("null") : bytes.isEmpty ? Bytes.of("nothing") : bytes;
}

function names(metadata: Metadata): Bytes {
  const out = new ByteWriter();
  const pairs = metadata.pairs();
  while (pairs.next()) out.text(pairs.name).text(";");
  return out.finish();
}
