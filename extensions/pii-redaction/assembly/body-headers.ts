import { Bytes, Headers } from "@weft/sdk/assembly";
import { ContentTypes, isJson } from "./content-types";

/** What headers say of the body that follows, read in one go. */
@final
export class BodyHeaders {
  /** Whether it is of a type to look at. One that has no type is: nobody knows what it is. */
  isText: bool = true;
  isJson: bool = false;
  isCompressed: bool = false;
  /** Its length in bytes; -1 if they do not say. */
  length: i64 = -1;
  /** Whether trailers are to be expected. */
  announcesTrailers: bool = false;
  /** Whether the sender takes trailers in what comes back. */
  takesTrailers: bool = false;
  /** Whether they ask for a part of the response, or for one that is compressed. */
  asksForRange: bool = false;
  asksForCompression: bool = false;
  /** Whether the connection is to become something else, whose bytes are nobody's body. */
  asksForTunnel: bool = false;
  isConnect: bool = false;
  /** Whether the response's status is one of 200 to 299, and whether it is 101. */
  isSuccess: bool = false;
  isSwitch: bool = false;
  /** Whether they hold a digest of the body. */
  hasDigest: bool = false;

  read(headers: Headers, types: ContentTypes): void {
    let typesSeen = 0;
    let typesKnown = 0;
    const pairs = headers.all();
    while (pairs.next()) {
      const name = pairs.name;
      // Of a header that is repeated, every value counts: which one the receiver takes is open.
      switch (name.length) {
        case 2: {
          if (name.equals("te")) this.readTe(pairs.value);
          break;
        }
        case 5: {
          if (name.equals("range")) this.asksForRange = true;
          break;
        }
        case 6: {
          if (name.equals("digest")) this.hasDigest = true;
          break;
        }
        case 7: {
          if (name.equals("trailer")) this.announcesTrailers = true;
          else if (name.equals("upgrade")) this.asksForTunnel = true;
          else if (name.equals(":method")) this.isConnect = pairs.value.equals("CONNECT");
          else if (name.equals(":status")) this.readStatus(pairs.value);
          break;
        }
        case 8: {
          if (name.equals("if-range")) this.asksForRange = true;
          break;
        }
        case 11: {
          if (name.equals("content-md5") || name.equals("repr-digest")) this.hasDigest = true;
          break;
        }
        case 12: {
          if (!name.equals("content-type")) break;
          typesSeen++;
          if (types.has(pairs.value)) typesKnown++;
          if (isJson(pairs.value)) this.isJson = true;
          break;
        }
        case 14: {
          if (name.equals("content-length")) this.length = pairs.value.toInteger(-1);
          else if (name.equals("content-digest")) this.hasDigest = true;
          break;
        }
        case 15: {
          if (name.equals("accept-encoding")) this.asksForCompression = true;
          break;
        }
        case 16: {
          if (name.equals("content-encoding")) this.readEncoding(pairs.value);
          break;
        }
      }
    }
    this.isText = typesSeen == 0 || typesKnown > 0;
  }

  private readStatus(value: Bytes): void {
    this.isSwitch = value.equals("101");
    this.isSuccess = value.startsWith("2");
  }

  private readTe(value: Bytes): void {
    if (value.toLowerCase().contains("trailers")) this.takesTrailers = true;
  }

  private readEncoding(value: Bytes): void {
    if (!value.trim().equalsIgnoringCase("identity")) this.isCompressed = true;
  }
}
