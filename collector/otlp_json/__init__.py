"""OTLP/JSON as the protobuf bytes of the same request.

Own rules, as OTLP's JSON is not protobuf's: ids are hex in any letter case (protobuf's library
would read them as base64, into 24 wrong bytes, without a word), enums are integers only, names are
lowerCamelCase only, 64-bit integers come as text or numbers, unknown members are ignored.

What is wrong with one value costs that value or its item, which is refused later with a reason;
what is wrong with the shape costs the request.
"""
