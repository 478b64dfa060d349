use wirelet_tokio::{Deflate, WindowBits};

/// Reads `takeover,window=10,level=6,memory=8,threshold=0`, each of which may be left out.
pub(crate) fn parse(parameters: &str) -> Result<Deflate, String> {
    let parameters = parameters.split(',').map(str::trim);
    parameters
        .filter(|parameter| !parameter.is_empty())
        .try_fold(Deflate::new(), apply)
}

fn apply(deflate: Deflate, parameter: &str) -> Result<Deflate, String> {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let number = |least: usize, most: usize| match value.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!(
            "{name} is a number from {least} to {most}, not `{value}`"
        )),
    };
    // Bounded to 15 before, so the conversions lose nothing.
    let small = |least, most| number(least, most).map(|number| number as u8);
    match name {
        "takeover" if value.is_empty() => Ok(deflate.takeover(true)),
        "window" => {
            let bits = WindowBits::new(small(8, 15)?).ok_or("a window has 8 to 15 bits")?;
            Ok(deflate.window(bits))
        }
        "level" => Ok(deflate.level(small(0, 9)?)),
        "memory" => Ok(deflate.memory(small(1, 9)?)),
        "threshold" => Ok(deflate.threshold(number(0, usize::MAX)?)),
        _ => Err(format!(
            "`{parameter}` is none of takeover, window=8..15, level=0..9, memory=1..9, threshold=BYTES"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use wirelet_tokio::{Deflate, WindowBits};

    #[test]
    fn parameters() {
        assert_eq!(parse(""), Ok(Deflate::new()));
        let all = "takeover, window=9,level=6,memory=1,threshold=0";
        let window = WindowBits::new(9).unwrap();
        let deflate = Deflate::new().takeover(true).window(window);
        assert_eq!(parse(all), Ok(deflate.level(6).memory(1).threshold(0)));
        for (wrong, why) in [
            ("window=7", "window is a number from 8 to 15, not `7`"),
            ("level=x", "level is a number from 0 to 9, not `x`"),
            ("takeover=1", "`takeover=1` is none of"),
            ("fast", "`fast` is none of"),
        ] {
            let error = parse(wrong).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
