# Turns a header into what Doxygen reads in its place (docs/Doxyfile). Lines keep their numbers.

# The comment at the top of a header describes the file.
NR == 1 { at_top = 1 }
at_top {
    if (/^#pragma once/) {
        print "/// \\file"
        at_top = 0
    } else {
        sub(/^\/\//, NR == 1 ? "/// \\brief" : "///")
        print
    }
    next
}

# The dot of an abbreviation does not end the first sentence. A declaration below a comment stays as it is.
/^ *\/\/\// {
    gsub(/ al\.( |$)/, " al.\\ ")
    gsub(/Eq\.( |$)/, "Eq.\\ ")
    gsub(/Sec\.( |$)/, "Sec.\\ ")
    commented = 1
    print
    next
}
commented { commented = 0; print; next }

# Without a comment: macros, deleted and defaulted members and destructors are left out.
/^ *#define / || continued { continued = /\\$/; print ""; next }
/ = (delete|default);$/ || /^ *(virtual )?~[A-Za-z0-9]+\(\);$/ { print ""; next }

# A comment behind several variables, as in "int h, w;  ///< text", describes each of them.
/^ *[A-Za-z_][A-Za-z0-9_:<> ]* [A-Za-z0-9_]+( = [^,;(]*|[{][}])?, [^;(]*;  *\/\/\/< / {
    end = index($0, ";")
    text = substr($0, index($0, "///<") + 5)
    count = split(substr($0, 1, end - 1), variables, ", ")
    type = variables[1]
    sub(/( = .*|[{][}])$/, "", type)
    sub(/[A-Za-z0-9_]+$/, "", type)
    line = variables[1]
    for (i = 2; i <= count; ++i) line = line "; /**< " text " */" type variables[i]
    print line "; /**< " text " */"
    next
}

{ print }
